/// What both sides of a connection have agreed on about compressing messages (RFC 7692). Each message is compressed by
/// itself: a connection keeps no state for it, and a message is the same bytes for all clients.
package struct PerMessageDeflate: Equatable, Sendable {
    private static let name = "permessage-deflate"
    private static let takeovers = ["server_no_context_takeover", "client_no_context_takeover"]
    /// What a client of ours asks for.
    static let offer = ([name] + takeovers).joined(separator: "; ")

    /// 9 to 15: what the server sends refers back by at most two to this power of bytes. nil when nobody named it.
    private let namedServerWindowBits: UInt8?

    package var serverWindowBits: Int { Int(namedServerWindowBits ?? 15) }
    package var isLargestWindow: Bool { serverWindowBits == 15 }
    package var serverWindowBytes: Int { 1 << serverWindowBits }

    /// The value of `Sec-WebSocket-Extensions` by which a server accepts.
    var answer: String {
        Self.offer + (namedServerWindowBits.map { "; server_max_window_bits=\($0)" } ?? "")
    }

    /// What a server agrees to.
    ///
    /// A client's window is of no concern: every window can be read. A window of the server of 8 bits is nothing zlib
    /// could keep to.
    ///
    /// - Returns: nil when the offer is another extension's, or one to decline.
    init?(offer: WebSocketExtension) {
        guard let parameters = Self.parameters(of: offer) else { return nil }
        var windowBits: UInt8?
        for (name, value) in parameters {
            switch (name, value) {
            case (_, nil) where Self.takeovers.contains(name): break
            case ("client_max_window_bits", nil): break
            case ("client_max_window_bits", let value?):
                guard Self.windowBits(value) != nil else { return nil }
            case ("server_max_window_bits", let value?):
                guard let bits = Self.windowBits(value), bits >= 9 else { return nil }
                windowBits = bits
            default: return nil
            }
        }
        namedServerWindowBits = windowBits
    }

    /// What a server has agreed to of what a client of ours asks for.
    ///
    /// - Returns: nil when that was not asked for.
    init?(answer: WebSocketExtension) {
        guard let parameters = Self.parameters(of: answer), parameters.keys.contains(Self.takeovers[0]) else {
            return nil
        }
        var windowBits: UInt8?
        for (name, value) in parameters {
            switch (name, value) {
            case (_, nil) where Self.takeovers.contains(name): break
            case ("server_max_window_bits", let value?):
                guard let bits = Self.windowBits(value) else { return nil }
                windowBits = bits
            default: return nil
            }
        }
        namedServerWindowBits = windowBits
    }

    /// - Returns: nil when it is another extension, or names a parameter twice.
    private static func parameters(of item: WebSocketExtension) -> [String: String?]? {
        guard item.name == name else { return nil }
        let parameters = Dictionary(item.parameters.map { ($0.name, $0.value) }) { first, _ in first }
        return parameters.count == item.parameters.count ? parameters : nil
    }

    /// 8 to 15, without a leading zero.
    private static func windowBits(_ text: String) -> UInt8? {
        (8...15).first { "\($0)" == text }
    }
}
