import HTTPTypes
import Hummingbird

/// Which foreign web pages may use this API (CORS). Tokens travel in a header, so cookies never matter.
struct CrossOrigin: Sendable {
    /// `https://school.example`, as browsers write them; `*` for all (`HTTP_CORS_ORIGINS`).
    let origins: Set<String>

    static let none = CrossOrigin(origins: [])

    private init(origins: Set<String>) {
        self.origins = origins
    }

    /// - Returns: the answer to a browser that asks what it may send, nil for any other request.
    func preflight(_ request: Request) -> Response? {
        guard request.method == .options, request.headers[.accessControlRequestMethod] != nil,
            isAllowed(request.headers[.origin])
        else { return nil }
        return Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: "GET, HEAD, POST, PUT, PATCH, DELETE",
                .accessControlAllowHeaders:
                    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, traceparent, "
                    + "X-Correlation-ID, X-Request-ID",
                .accessControlMaxAge: "600",
            ])
    }

    func mark(_ response: inout Response, to request: Request) {
        guard !origins.isEmpty else { return }
        response.headers.append(HTTPField(name: .vary, value: "Origin"))
        guard let origin = request.headers[.origin], isAllowed(origin) else { return }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlExposeHeaders] =
            "Content-Disposition, ETag, Idempotency-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, "
            + "X-Correlation-ID, X-Request-ID"
    }

    private func isAllowed(_ origin: String?) -> Bool {
        guard let origin else { return false }
        return origins.contains(origin) || origins.contains("*")
    }

    /// - Returns: nil unless `text` is `*` or origins separated by commas.
    init?(_ text: String) {
        let origins = text.split(separator: ",").map { String($0).trimmingBlanks() }
        let areOrigins = origins.allSatisfy { origin in
            guard origin != "*" else { return true }
            let parts = origin.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
            return parts.count == 2 && ["http", "https"].contains(parts[0]) && !parts[1].isEmpty
                && parts[1].utf8.allSatisfy { $0.isASCIIAlphanumeric || "-.:[]".utf8.contains($0) }
        }
        guard areOrigins else { return nil }
        self.origins = Set(origins)
    }
}
