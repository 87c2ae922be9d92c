import NIOCore
import WebSocket

/// Writing events, compressed for clients with whom that was agreed on. What concerns one client alone is not compressed:
/// it is small, and would have to be for each anew.
extension RealtimeConnection {
    /// Without flushing.
    func write(_ frame: SharedFrame) {
        let deflater = deflater(largest: frame.bytes.readableBytes)
        write(frame.bytes(by: deflater), count: 1, plainBytes: frame.bytes.readableBytes, deflater)
    }

    /// A round of events, without flushing.
    func write(_ chain: WriteChain) {
        let deflater = deflater(largest: chain.largest)
        write(chain.bytes(by: deflater), count: chain.count, plainBytes: chain.size, deflater)
    }

    private func write(_ frames: ByteBuffer, count: Int, plainBytes: Int, _ deflater: FrameDeflater?) {
        if deflater != nil {
            loop.statistics.deflateBytesBefore += plainBytes
            loop.statistics.deflateBytesAfter += frames.readableBytes
        }
        write(frames, count: count)
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
