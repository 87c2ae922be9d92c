import CZlib
import NIOCore

/// Compresses one body, piece by piece. Takes about 260 KiB while it lives.
final class GzipStream {
    struct Failure: Error, CustomStringConvertible {
        let code: Int32

        var description: String { "zlib failed with \(code)" }
    }

    /// Little is gained beyond, and time is lost.
    private static let level: Int32 = 4
    /// The largest window, 2^15, and a gzip header around.
    private static let windowBits: Int32 = 15 + 16
    private static let chunk = 16 << 10

    // zlib remembers where its state is, so it must not move.
    private let state: UnsafeMutablePointer<z_stream>

    init() throws {
        state = .allocate(capacity: 1)
        state.initialize(to: z_stream())
        let code = deflateInit2_(
            state, Self.level, Z_DEFLATED, Self.windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            state.deallocate()
            throw Failure(code: code)
        }
    }

    deinit {
        deflateEnd(state)
        state.deallocate()
    }

    /// - Returns: what is ready so far, maybe nothing.
    func compress(_ buffer: ByteBuffer) throws -> ByteBuffer {
        try buffer.withUnsafeReadableBytes { try run($0, Z_NO_FLUSH) }
    }

    /// - Returns: the rest.
    func finish() throws -> ByteBuffer {
        try run(UnsafeRawBufferPointer(start: nil, count: 0), Z_FINISH)
    }

    private func run(_ input: UnsafeRawBufferPointer, _ flush: Int32) throws -> ByteBuffer {
        // zlib reads through this pointer only, whatever its type says.
        state.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        state.pointee.avail_in = UInt32(input.count)
        var output = ByteBuffer()
        while true {
            var code = Z_OK
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.chunk) { room in
                let count = min(room.count, Self.chunk)
                state.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                state.pointee.avail_out = UInt32(count)
                code = deflate(state, flush)
                return count - Int(state.pointee.avail_out)
            }
            switch code {
            case Z_STREAM_END: return output
            // No progress: all that came in is taken, and there is nothing to give.
            case Z_BUF_ERROR where flush == Z_NO_FLUSH: return output
            case Z_OK: if state.pointee.avail_out > 0 && flush == Z_NO_FLUSH { return output }
            default: throw Failure(code: code)
            }
        }
    }
}
