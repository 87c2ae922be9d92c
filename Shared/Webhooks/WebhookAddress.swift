internal import FoundationEssentials
internal import NIOCore

/// The address of a webhook, checked as far as it can be without looking up its host.
package struct WebhookAddress: Equatable, Sendable {
    /// In bytes.
    package static let maxBytes = 2000

    /// Of one form: scheme and host in lower case, a path, no fragment.
    package let url: String
    /// Without brackets.
    let host: String
    let port: Int

    /// - Throws: `WebhookAddressError`.
    package init(_ text: String, configuration: WebhookConfiguration) throws(WebhookAddressError) {
        guard (1...Self.maxBytes).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw WebhookAddressError("must be 1 to \(Self.maxBytes) visible ASCII characters")
        }
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(), let name = parts.host
        else { throw WebhookAddressError("must be a whole URL such as https://school.example/hook") }
        switch scheme {
        case "https": break
        case "http" where configuration.allowsHTTP: break
        case "http": throw WebhookAddressError("must begin with https://; this system sends nothing without TLS")
        default: throw WebhookAddressError("must begin with https://")
        }
        guard parts.user == nil, parts.password == nil else {
            throw WebhookAddressError("must not hold a user or a password")
        }
        guard parts.fragment == nil else { throw WebhookAddressError("must not have a fragment") }
        let isBracketed = name.hasPrefix("[") && name.hasSuffix("]")
        host = isBracketed ? String(name.dropFirst().dropLast()) : name.lowercased()
        try Self.check(host)
        port = parts.port ?? (scheme == "https" ? 443 : 80)
        // Below are services that are no web servers, and some that can be talked into something by HTTP.
        guard port == 80 || port == 443 || (1024...65_535).contains(port) else {
            throw WebhookAddressError("must have the port 80, 443, or one from 1024 on")
        }
        if !configuration.allowsPrivate {
            guard host != "localhost", !host.hasSuffix(".localhost"),
                (try? SocketAddress(ipAddress: host, port: port)).map(NetworkRanges.isPublic) ?? true
            else { throw WebhookAddressError("must not lead into a private network") }
        }
        let path = parts.percentEncodedPath.isEmpty ? "/" : parts.percentEncodedPath
        let query = parts.percentEncodedQuery.map { "?\($0)" } ?? ""
        let place = parts.port.map { ":\($0)" } ?? ""
        url = "\(scheme)://\(host.contains(":") ? "[\(host)]" : host)\(place)\(path)\(query)"
    }

    /// - Parameter host: a name, or an address without brackets.
    private static func check(_ host: String) throws(WebhookAddressError) {
        let isAddress = host.contains(":")
        let isName = host.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "-._".utf8.contains(byte)
        }
        guard (1...253).contains(host.utf8.count), isAddress ? isIPv6(host) : isName else {
            throw WebhookAddressError("must have a host of ASCII letters, digits, - and dots, or an IP address")
        }
    }

    private static func isIPv6(_ text: String) -> Bool {
        if case .v6 = try? SocketAddress(ipAddress: text, port: 0), !text.contains("%") { true } else { false }
    }
}

/// What is wrong with the address of a webhook, to be read behind "url".
package struct WebhookAddressError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
