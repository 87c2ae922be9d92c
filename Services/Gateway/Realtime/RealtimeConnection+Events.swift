import NIOCore
import WebSocket

/// Writing events, compressed for clients with whom that was agreed on. What concerns one client alone is not compressed:
/// it is small, and would have to be for each anew.
extension RealtimeConnection {
    /// Without flushing.
    func write(_ frame: SharedFrame) {
        guard let deflater = deflater(largest: frame.bytes.readableBytes) else { return write(frame.bytes) }
        let bytes = frame.bytes(by: deflater)
        count(before: frame.bytes.readableBytes, after: bytes.readableBytes)
        write(bytes)
    }

    /// A round of events.
    ///
    /// - Returns: the bytes written; the caller counts them, and the messages.
    func send(_ chain: WriteChain) -> Int {
        let deflater = deflater(largest: chain.largest)
        let bytes = chain.bytes(by: deflater)
        if deflater != nil { count(before: chain.size, after: bytes.readableBytes) }
        writeAndFlush(bytes)
        return bytes.readableBytes
    }

    private func count(before: Int, after: Int) {
        loop.statistics.deflateBytesBefore += before
        loop.statistics.deflateBytesAfter += after
    }

    /// - Parameter largest: bytes of the largest frame. All clients share one compressed form, which refers back as far as
    ///   it likes: one with a smaller window gets it only where that is not further than its window.
    private func deflater(largest: Int) -> FrameDeflater? {
        guard let deflate = socket?.deflate, deflate.isLargestWindow || largest <= deflate.serverWindowBytes else {
            return nil
        }
        return loop.deflater
    }
}
