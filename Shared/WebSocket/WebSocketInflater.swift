import NIOCore

/// Unfolds a peer's compressed messages (RFC 7692).
protocol WebSocketInflater: AnyObject {
    /// - Parameter limit: greatest number of bytes unfolded.
    func inflate(_ message: ByteBuffer, limit: Int) throws(WebSocketError) -> ByteBuffer
}
