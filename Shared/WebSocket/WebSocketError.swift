/// What a peer did against the protocol or beyond a limit, and the code its connection is closed with.
package struct WebSocketError: Error, Equatable, Sendable {
    package let code: WebSocketCloseCode
    /// A constant sentence, for the close frame and the log.
    package let reason: String

    package init(_ code: WebSocketCloseCode, _ reason: String) {
        self.code = code
        self.reason = reason
    }
}
