import NIOHTTP1

/// Which pages may open a WebSocket. A browser sends every page's origin with the handshake, and sends it along with
/// whatever the user is signed in to, so this is what keeps foreign pages out.
struct OriginPolicy: Sendable {
    /// In lower case.
    let allowed: Set<String>

    init(allowed: [String]) {
        self.allowed = Set(allowed)
    }

    /// A request without `Origin` is of no browser and may go on; one with an origin must be of this very site, by its
    /// `Host`, or of a listed one.
    func allows(_ headers: HTTPHeaders) -> Bool {
        let origins = headers["origin"]
        guard let origin = origins.first?.lowercased() else { return true }
        guard origins.count == 1 else { return false }
        if allowed.contains(origin) { return true }
        guard let host = headers.first(name: "host")?.lowercased(), let site = Self.site(of: origin) else {
            return false
        }
        return site.authority == Self.withoutStandardPort(host, scheme: site.scheme)
    }

    static func isOrigin(_ text: String) -> Bool {
        guard let site = site(of: text.lowercased()) else { return false }
        return !site.authority.isEmpty && !site.authority.contains { "/?#@ ".contains($0) }
    }

    private static func site(of origin: String) -> (scheme: String, authority: String)? {
        for scheme in ["https", "http"] where origin.hasPrefix("\(scheme)://") {
            return (scheme, withoutStandardPort(String(origin.dropFirst(scheme.count + 3)), scheme: scheme))
        }
        return nil
    }

    private static func withoutStandardPort(_ authority: String, scheme: String) -> String {
        let port = scheme == "https" ? ":443" : ":80"
        return authority.hasSuffix(port) ? String(authority.dropLast(port.count)) : authority
    }
}
