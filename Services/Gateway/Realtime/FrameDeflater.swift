import NIOCore
import WebSocket

/// Compresses the events of one event loop, each once for all its clients. Used on that event loop.
final class FrameDeflater {
    private let minBytes: Int
    // Made for the first client that wants it. nil when there is no memory: then nothing is compressed.
    private lazy var deflater = MessageDeflater()
    /// Frames that have been compressed.
    private(set) var count = 0

    /// - Parameter minBytes: smaller frames are not worth it.
    init(minBytes: Int) {
        self.minBytes = minBytes
    }

    /// - Returns: the frame itself when compressing does not make it smaller.
    func deflate(_ frame: ByteBuffer) -> ByteBuffer {
        guard frame.readableBytes >= minBytes, let deflater else { return frame }
        count += 1
        return WebSocketFrame.deflate(frame, by: deflater) ?? frame
    }
}
