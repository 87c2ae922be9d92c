internal import CZlib
package import NIOCore

/// Compresses messages, each by itself, for as many connections as one likes. Takes about 200 KiB. For one thread at a
/// time.
package final class MessageDeflater {
    /// Little is gained beyond, and time is lost.
    private static let level: Int32 = 6
    private static let memory: Int32 = 7
    /// An empty block, with which everything before it ends on a whole byte. It is not sent.
    static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]

    // zlib remembers where its state is, so it must not move.
    private let state: UnsafeMutablePointer<z_stream>

    /// - Parameter windowBits: 9 to 15.
    /// - Returns: nil when there is no memory for it.
    package init?(windowBits: Int = 15) {
        precondition((9...15).contains(windowBits), "zlib has no such window")
        state = .allocate(capacity: 1)
        state.initialize(to: z_stream())
        // A negative window stands for deflate without a header.
        let code = deflateInit2_(
            state, Self.level, Z_DEFLATED, -Int32(windowBits), Self.memory, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            state.deallocate()
            return nil
        }
    }

    deinit {
        deflateEnd(state)
        state.deallocate()
    }

    /// - Returns: the payload of a frame with its first reserved bit set; nil when it would be no smaller.
    package func deflate(_ payload: ByteBuffer) -> ByteBuffer? {
        guard payload.readableBytes < Int(UInt32.max) - Self.tail.count, deflateReset(state) == Z_OK else { return nil }
        // What is no smaller finds no room.
        let room = payload.readableBytes + Self.tail.count
        var output = ByteBuffer()
        let isDone = payload.withUnsafeReadableBytes { input in
            var code = Z_OK
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { bytes in
                // zlib reads through this pointer only, whatever its type says.
                state.pointee.next_in = UnsafeMutablePointer(
                    mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
                state.pointee.avail_in = UInt32(input.count)
                state.pointee.next_out = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
                state.pointee.avail_out = UInt32(room)
                code = CZlib.deflate(state, Z_SYNC_FLUSH)
                return room - Int(state.pointee.avail_out)
            }
            return code == Z_OK && state.pointee.avail_in == 0 && state.pointee.avail_out > 0
        }
        guard isDone, output.readableBytes > Self.tail.count else { return nil }
        return output.readSlice(length: output.readableBytes - Self.tail.count)
    }
}
