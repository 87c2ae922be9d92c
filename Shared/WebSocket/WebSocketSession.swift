package import NIOCore

/// What is done with a connection. All calls come on the connection's event loop.
package protocol WebSocketSession: AnyObject {
    /// The connection is open; nothing has been received yet.
    func opened(_ socket: WebSocketHandler)
    /// Valid UTF-8.
    func received(text: ByteBuffer)
    func received(binary: ByteBuffer)
    /// Any bytes came: the peer lives.
    func heard()
    /// The connection takes bytes again, or does not.
    func writabilityChanged(isWritable: Bool)
    /// The last call, once. `code` is what the connection was closed with, by whichever side began; `.abnormal` when
    /// it broke.
    func closed(_ code: WebSocketCloseCode, byPeer: Bool)
}

extension WebSocketSession {
    package func heard() {}
    package func writabilityChanged(isWritable: Bool) {}
}
