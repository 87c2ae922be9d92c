internal import Crypto
internal import FoundationEssentials
package import NIOHTTP1

/// What a client asks for when it opens a WebSocket (RFC 6455, section 4), checked.
package struct WebSocketHandshake: Equatable, Sendable {
    /// Why a request is not served, and how to answer it.
    package struct Refusal: Error, Equatable, Sendable {
        package let status: HTTPResponseStatus
        /// What is wrong and what is expected, for people.
        package let detail: String
        package var headers: [String: String] = [:]
    }

    /// For `Sec-WebSocket-Accept`.
    package let accept: String
    /// In the client's order of preference.
    package let subprotocols: [String]
    /// In the client's order of preference.
    private let extensions: [WebSocketExtension]

    /// How messages may be compressed, if the client asks for it in a way that can be agreed to.
    package var deflate: PerMessageDeflate? {
        extensions.lazy.compactMap(PerMessageDeflate.init(offer:)).first
    }

    package init(_ head: HTTPRequestHead) throws(Refusal) {
        guard head.method == .GET, head.version == .http1_1 else {
            throw Self.refusal(.upgradeRequired, "A WebSocket is opened by a GET request of HTTP/1.1.", .upgrade)
        }
        guard Self.tokens(head.headers["upgrade"]).contains(where: { $0.lowercased() == "websocket" }),
            Self.tokens(head.headers["connection"]).contains(where: { $0.lowercased() == "upgrade" })
        else { throw Self.refusal(.upgradeRequired, "This address speaks WebSocket only.", .upgrade) }
        guard head.headers["sec-websocket-version"] == ["13"] else {
            throw Self.refusal(.upgradeRequired, "Sec-WebSocket-Version must be 13.", .version)
        }
        guard Self.isEmpty(head.headers) else {
            throw Self.refusal(.badRequest, "A request that opens a WebSocket has no body.", .none)
        }
        let keys = head.headers["sec-websocket-key"]
        guard keys.count == 1, keys[0].utf8.count == 24, Data(base64Encoded: keys[0])?.count == 16 else {
            throw Self.refusal(.badRequest, "Sec-WebSocket-Key must be 16 bytes in base64.", .none)
        }
        let subprotocols = Self.tokens(head.headers["sec-websocket-protocol"])
        guard subprotocols.count <= 16, Set(subprotocols).count == subprotocols.count else {
            throw Self.refusal(.badRequest, "Sec-WebSocket-Protocol names a subprotocol twice, or too many.", .none)
        }
        guard let extensions = WebSocketExtension.list(head.headers["sec-websocket-extensions"]) else {
            throw Self.refusal(.badRequest, "Sec-WebSocket-Extensions is no list of extensions.", .none)
        }
        accept = Self.accept(key: keys[0])
        self.extensions = extensions
        self.subprotocols = subprotocols
    }

    /// The proof of a server that it has understood `key`.
    package static func accept(key: String) -> String {
        let digest = Insecure.SHA1.hash(data: Data((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        return Data(digest).base64EncodedString()
    }

    private enum Advice {
        case none, upgrade, version
    }

    private static func refusal(_ status: HTTPResponseStatus, _ detail: String, _ advice: Advice) -> Refusal {
        switch advice {
        case .none: Refusal(status: status, detail: detail)
        case .upgrade: Refusal(status: status, detail: detail, headers: ["Upgrade": "websocket"])
        case .version:
            Refusal(
                status: status, detail: detail, headers: ["Upgrade": "websocket", "Sec-WebSocket-Version": "13"])
        }
    }

    private static func isEmpty(_ headers: HTTPHeaders) -> Bool {
        headers["transfer-encoding"].isEmpty && headers["content-length"].allSatisfy { $0 == "0" }
    }

    /// The parts of a list header, without blanks.
    static func tokens(_ values: [String]) -> [String] {
        values.flatMap { $0.split(separator: ",") }.compactMap { part in
            let token = part.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
            return token.isEmpty ? nil : String(token)
        }
    }
}
