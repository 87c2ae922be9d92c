internal import CZlib
internal import NIOCore

/// Takes one compressed message apart. Nothing is left of it afterwards.
struct MessageInflater: ~Copyable {
    private enum Fault {
        case corrupt, tooBig
    }

    private static let firstPiece = 1024

    private let limit: Int
    private let state: UnsafeMutablePointer<z_stream>
    private var output = ByteBuffer()
    /// All that came belongs to blocks of which one said that it was the last.
    private var hasEnded = false

    /// - Parameters:
    ///   - payload: of all frames of the message.
    ///   - limit: of the bytes of the result; no more are ever made.
    /// - Throws: `.messageTooBig` beyond the limit; `.invalidPayload` when it is no deflate, or not all of it.
    static func inflate(_ payload: ByteBuffer, limit: Int) throws(WebSocketError) -> ByteBuffer {
        // Strictly that is no deflate, but some send an empty message so.
        guard payload.readableBytes > 0 else { return ByteBuffer() }
        var inflater = try MessageInflater(limit: limit)
        var fault = payload.withUnsafeReadableBytes { inflater.take($0) }
        if fault == nil, !inflater.hasEnded {
            fault = MessageDeflater.tail.withUnsafeBytes { inflater.take($0) }
            if fault == nil, !inflater.isBetweenBlocks { fault = .corrupt }
        }
        switch fault {
        case .corrupt: throw WebSocketError(.invalidPayload, "the compressed message is corrupt")
        case .tooBig: throw WebSocketError(.messageTooBig, "the message is too large")
        case nil: return inflater.output
        }
    }

    /// Of the compressed form of a message of `limit` bytes, whatever the settings of a deflate that tries to be small.
    static func maxCompressedBytes(limit: Int) -> Int {
        limit + limit / 8 + limit / 64 + 64
    }

    private init(limit: Int) throws(WebSocketError) {
        let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        state.initialize(to: z_stream())
        // The largest window reads every other. Negative: deflate without a header.
        guard inflateInit2_(state, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            state.deallocate()
            throw WebSocketError(.internalError, "there is no memory")
        }
        self.limit = limit
        self.state = state
    }

    deinit {
        inflateEnd(state)
        state.deallocate()
    }

    private mutating func take(_ input: UnsafeRawBufferPointer) -> Fault? {
        // zlib reads through this pointer only, whatever its type says.
        state.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        state.pointee.avail_in = UInt32(input.count)
        while true {
            guard let code = step() else { return .tooBig }
            hasEnded = code == Z_STREAM_END && state.pointee.avail_in == 0
            switch code {
            case Z_STREAM_END:
                // More blocks may follow.
                guard inflateReset(state) == Z_OK else { return .corrupt }
                if hasEnded { return nil }
            case Z_OK, Z_BUF_ERROR:
                // With room left, there is nothing more to come of what it has.
                if state.pointee.avail_out > 0 { return state.pointee.avail_in == 0 ? nil : .corrupt }
            default: return .corrupt
            }
        }
    }

    /// - Returns: zlib's code; nil when there is more than the limit.
    private mutating func step() -> Int32? {
        let room = limit - output.readableBytes
        guard room > 0 else {
            // Only to see whether anything more would come.
            var byte: UInt8 = 0
            return withUnsafeMutablePointer(to: &byte) { place in
                state.pointee.next_out = place
                state.pointee.avail_out = 1
                let code = CZlib.inflate(state, Z_NO_FLUSH)
                return state.pointee.avail_out == 1 ? code : nil
            }
        }
        var code = Z_OK
        let piece = min(room, max(Self.firstPiece, output.readableBytes))
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: piece) { bytes in
            state.pointee.next_out = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            state.pointee.avail_out = UInt32(piece)
            code = CZlib.inflate(state, Z_NO_FLUSH)
            return piece - Int(state.pointee.avail_out)
        }
        return code
    }

    /// Whether the message may end here.
    private var isBetweenBlocks: Bool {
        // zlib tells it so: 128 before a block's header, and in the low bits how many bits it has taken of it.
        hasEnded || state.pointee.data_type & (128 | 63) == 128
    }
}
