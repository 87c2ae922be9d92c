import Glibc
import ServiceKit

/// Proxies whose `X-Forwarded-For` is believed; what anybody else writes there is not.
struct TrustedProxies: Sendable {
    /// Exact addresses.
    private let addresses: Set<String>

    init(_ addresses: Set<String> = []) {
        self.addresses = addresses
    }

    /// `HTTP_TRUSTED_PROXIES`: addresses separated by commas.
    ///
    /// - Throws: `SettingsError`.
    init(reader: SettingsReader) throws {
        let name = "HTTP_TRUSTED_PROXIES"
        let addresses = (reader.text(name) ?? "").split(separator: ",").map { String($0).trimmingBlanks() }
        if let wrong = addresses.first(where: { !Self.isAddress($0) }) {
            throw SettingsError(name: name, problem: "holds \"\(wrong)\"; addresses separated by commas are expected")
        }
        self.init(Set(addresses))
    }

    /// The address a request comes from: the last one of the chain that is no proxy of ours. Those before it are the
    /// client's own word.
    ///
    /// - Parameters:
    ///   - peer: the other end of the connection.
    ///   - forwarded: the header `X-Forwarded-For`.
    func client(peer: String?, forwarded: String?) -> String? {
        guard let peer, addresses.contains(peer), let forwarded else { return peer }
        var last = peer
        for hop in forwarded.split(separator: ",").reversed() {
            let hop = String(hop).trimmingBlanks()
            guard Self.isAddress(hop) else { return last }
            last = hop
            if !addresses.contains(hop) { return hop }
        }
        return last
    }

    private static func isAddress(_ text: String) -> Bool {
        var (v4, v6) = (in_addr(), in6_addr())
        return inet_pton(AF_INET, text, &v4) == 1 || inet_pton(AF_INET6, text, &v6) == 1
    }
}
