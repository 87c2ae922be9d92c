import WebSocket

/// Every code of this application a connection is closed with. Clients tell by the range what to do: 4400 to 4499, do
/// not come back before something has changed (a token, a program); 4500 to 4599, come back with the cursors and get
/// what was missed. Besides these there are 1002, 1003, 1007 and 1009 of RFC 6455 for what is no WebSocket or too large,
/// and 1012 when the gateway stops: come back.
extension WebSocketCloseCode {
    /// The token is none of this system's.
    static let tokenInvalid = Self(rawValue: 4401)
    /// The token has expired, or did while the connection was open.
    static let tokenExpired = Self(rawValue: 4402)
    /// The user's sign-in was withdrawn.
    static let accessWithdrawn = Self(rawValue: 4403)
    /// No token came in time.
    static let notAuthenticated = Self(rawValue: 4408)
    /// More messages than are allowed.
    static let tooManyMessages = Self(rawValue: 4429)
    /// The user has as many connections as are allowed.
    static let tooManyConnections = Self(rawValue: 4430)

    /// More messages wait for the client than are kept for it.
    static let tooSlow = Self(rawValue: 4500)
    /// The client gives no sign of life.
    static let unresponsive = Self(rawValue: 4501)
    /// Events were lost between the gateway and Redis; who comes back is told what of it is missing.
    static let gap = Self(rawValue: 4502)
}

extension WebSocketCloseCode {
    /// For statistics; the number of kinds is bounded.
    var label: String {
        switch self {
        case .normal, .goingAway, .noStatus: "normal"
        case .abnormal: "broken"
        case .protocolError, .invalidPayload, .unsupportedData: "protocol_error"
        case .messageTooBig: "message_too_large"
        case .serviceRestart: "restart"
        case .tokenInvalid: "token_invalid"
        case .tokenExpired: "token_expired"
        case .accessWithdrawn: "access_withdrawn"
        case .notAuthenticated: "not_authenticated"
        case .tooManyMessages: "too_many_messages"
        case .tooManyConnections: "too_many_connections"
        case .tooSlow: "too_slow"
        case .unresponsive: "unresponsive"
        case .gap: "gap"
        default: "other"
        }
    }
}
