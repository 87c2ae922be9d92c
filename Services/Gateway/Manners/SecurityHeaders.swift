import HTTPTypes
import Hummingbird

/// What keeps browsers from doing more with an answer than it is for.
struct SecurityHeaders: Sendable {
    /// True when clients reach this server by TLS, which a proxy ends (`HTTP_BEHIND_TLS`).
    let isBehindTLS: Bool

    /// What is set already stays.
    func mark(_ response: inout Response) {
        set(.contentTypeOptions, "nosniff", &response)
        set(.contentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'", &response)
        set(.frameOptions, "DENY", &response)
        set(.referrerPolicy, "no-referrer", &response)
        set(.cacheControl, "no-store", &response)
        if isBehindTLS { set(.strictTransportSecurity, "max-age=31536000", &response) }
    }

    private func set(_ name: HTTPField.Name, _ value: String, _ response: inout Response) {
        if response.headers[name] == nil { response.headers[name] = value }
    }
}

extension HTTPField.Name {
    static let contentTypeOptions = custom("X-Content-Type-Options")
    fileprivate static let frameOptions = custom("X-Frame-Options")
    fileprivate static let referrerPolicy = custom("Referrer-Policy")
}
