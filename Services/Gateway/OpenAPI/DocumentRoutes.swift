import Crypto
import Domain
import HTTPTypes
import Hummingbird

/// The description of all addresses: for programs at `/openapi.json`, for people at `/docs`. To be declared last.
enum DocumentRoutes {
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'"

    /// - Throws: when the description cannot be written as JSON.
    static func declare(in routes: RouteTable) throws {
        let page: HTTPFields = [.contentSecurityPolicy: policy]
        for (path, summary, type, bytes) in [
            ("/docs", "The description of all addresses, for people.", "text/html", PackageResources.docs_html),
            ("/docs/docs.js", "What shows it.", "text/javascript", PackageResources.docs_js),
            ("/docs/docs.css", "How it looks.", "text/css", PackageResources.docs_css),
        ] {
            let tag = entityTag(of: bytes)
            routes.open(
                .get, path,
                Operation(
                    summary, parameters: [.ifNoneMatch], .content(type, "The file.", headers: [.eTag: "Names it."]),
                    .notModified)
            ) { request, _ in
                request.unchanged(tag, page)
                    ?? .bytes(bytes, type: "\(type); charset=utf-8", headers: page.revalidated(tag))
            }
        }
        try routes.open(
            .get, "/openapi.json",
            Operation(
                "The description of all addresses, for programs.", parameters: [.ifNoneMatch],
                .json(.map(of: .any), headers: [.eTag: "Names it."]), .notModified)
        ) { document in
            let bytes = try JSON.encode(document.json)
            let tag = entityTag(of: bytes)
            return { request, _ in
                request.unchanged(tag, [:]) ?? .json(bytes: bytes, headers: HTTPFields().revalidated(tag))
            }
        }
    }

    private static func entityTag(of bytes: [UInt8]) -> String {
        "\"\(SHA256.hash(data: bytes).prefix(12).hexadecimal)\""
    }
}

extension HTTPFields {
    /// To be kept, and asked for again every time.
    fileprivate func revalidated(_ tag: String) -> HTTPFields {
        var fields = self
        fields[.eTag] = tag
        fields[.cacheControl] = "no-cache"
        return fields
    }
}

extension Request {
    /// - Returns: 304 when the client has what `tag` names.
    fileprivate func unchanged(_ tag: String, _ headers: HTTPFields) -> Response? {
        guard let seen = self.headers[.ifNoneMatch], EntityTag.list(seen, matches: tag) else { return nil }
        return Response(status: .notModified, headers: headers.revalidated(tag))
    }
}
