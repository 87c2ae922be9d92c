import Domain
import HTTPTypes
import Hummingbird

/// How many requests an address and a user may make, told with every answer as the IETF's draft
/// (draft-ietf-httpapi-ratelimit-headers) has it.
struct RateLimits: Sendable {
    private let byAddress: RateLimiter?
    private let byUser: RateLimiter?

    /// - Parameters:
    ///   - address: requests a minute (`HTTP_RATE_LIMIT_ADDRESS`), 0 for any number.
    ///   - user: requests a minute (`HTTP_RATE_LIMIT_USER`), 0 for any number.
    init(address: Int, user: Int) {
        byAddress = address > 0 ? RateLimiter(quota: address) : nil
        byUser = user > 0 ? RateLimiter(quota: user) : nil
    }

    /// - Returns: what the answer says of it.
    /// - Throws: `Problem` with 429.
    func count(address: String?) throws(Problem) -> HTTPFields {
        try Self.count(address ?? "unknown", "address", byAddress)
    }

    func count(user: UserID) throws(Problem) -> HTTPFields {
        try Self.count(user.rawValue, "user", byUser)
    }

    private static func count(_ client: String, _ name: String, _ limiter: RateLimiter?) throws(Problem) -> HTTPFields {
        guard let limiter else { return [:] }
        let verdict = limiter.count(client)
        var headers: HTTPFields = [
            .rateLimitPolicy: "\"\(name)\";q=\(limiter.quota);w=\(RateLimiter.window)",
            .rateLimit: "\"\(name)\";r=\(verdict.remaining);t=\(verdict.wait)",
        ]
        guard verdict.isAllowed else {
            headers[.retryAfter] = "\(verdict.wait)"
            throw Problem(
                .tooManyRequests, "too-many-requests",
                "More than \(limiter.quota) requests a minute by one \(name). Wait \(verdict.wait) s.", headers: headers
            )
        }
        return headers
    }
}

extension HTTPField.Name {
    static let rateLimit = custom("RateLimit")
    static let rateLimitPolicy = custom("RateLimit-Policy")
}
