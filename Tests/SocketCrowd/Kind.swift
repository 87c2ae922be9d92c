/// How a crowd's sockets misbehave.
enum Kind: String, CaseIterable {
    /// Says nothing, or half of a handshake, in turn.
    case halfOpen = "half-open"
    /// A handshake, a byte a second.
    case dripping
    /// A handshake that never comes to its end: one further header field after the other.
    case endless
    /// Asks for a page, and then sends no more while it reads on.
    case halfClosed = "half-closed"
    /// Follows exams and reads nothing of what it is sent.
    case deaf
    /// Makes the gateway close a WebSocket, and neither answers that nor hangs up.
    case unanswering
    /// A WebSocket that sends no more, while it reads on.
    case halfClosedWebSocket = "half-closed-websocket"

    var reads: Bool { self != .deaf }
    var endsSending: Bool { self == .halfClosed || self == .halfClosedWebSocket }

    /// What a socket sends at once.
    func opening(_ number: Int, token: String) -> [UInt8] {
        switch self {
        case .halfOpen: number % 2 == 0 ? [] : Array(Self.handshake(token: token).prefix(90))
        case .dripping: []
        case .endless: Array("GET /ws HTTP/1.1\r\nHost: a\r\n".utf8)
        case .halfClosed: Array("GET /openapi.json HTTP/1.1\r\nHost: a\r\nConn".utf8)
        case .deaf:
            Self.handshake(token: token)
                + Self.masked(
                    0x1, Array(#"{"type":"subscribe","id":"s","connection_type":"progress"}"#.utf8))
        // Binary messages are not for this gateway.
        case .unanswering: Self.handshake(token: token) + Self.masked(0x2, [1, 2, 3])
        case .halfClosedWebSocket: Self.handshake(token: token)
        }
    }

    /// What it sends a second later, and so on.
    func next(_ second: Int, token: String) -> [UInt8] {
        switch self {
        case .dripping:
            let handshake = Self.handshake(token: token)
            return second < handshake.count ? [handshake[second]] : []
        case .endless: return Array("X-Field-\(second): \(String(repeating: "x", count: 100))\r\n".utf8)
        default: return []
        }
    }

    private static func handshake(token: String) -> [UInt8] {
        Array(
            """
            GET /ws HTTP/1.1\r
            Host: a\r
            Upgrade: websocket\r
            Connection: Upgrade\r
            Sec-WebSocket-Version: 13\r
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
            Sec-WebSocket-Protocol: zhiyue.v1, bearer.\(token)\r
            \r

            """.utf8)
    }

    /// A client's frame, under the key of zeros.
    private static func masked(_ opcode: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0x80 | opcode, 0x80 | UInt8(payload.count), 0, 0, 0, 0] + payload
    }
}
