import HTTPTypes
import Hummingbird
import NIOCore

/// Compresses text for clients that take gzip. Never streams of events, which must not wait in a buffer, nor what is
/// compressed already.
struct CompressionMiddleware: RouterMiddleware {
    typealias Context = GatewayContext

    /// Shorter answers hardly get shorter, in bytes.
    private static let minBytes = 1024
    private static let types: Set<String> = [
        "application/json", "application/problem+json", "text/csv", "text/html", "text/plain", "text/css",
        "text/javascript",
    ]

    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        // The answer to HEAD has no body, and so nothing that could be compressed.
        guard request.method != .head, let length = response.body.contentLength, length > Self.minBytes,
            response.headers[.contentEncoding] == nil,
            let type = response.headers[.contentType]?.prefix(while: { $0 != ";" }), Self.types.contains(String(type))
        else { return response }
        response.headers.append(HTTPField(name: .vary, value: "Accept-Encoding"))
        guard Self.accepts(request.headers[.acceptEncoding]) else { return response }
        let body = response.body
        response.body = ResponseBody { writer in
            try await body.write(GzipBodyWriter(parent: writer, stream: try GzipStream()))
        }
        response.headers[.contentEncoding] = "gzip"
        return response
    }

    /// Whether gzip, or anything, is wanted more than not at all.
    static func accepts(_ header: String?) -> Bool {
        var accepted = false
        for part in (header ?? "").split(separator: ",") {
            let words = part.split(separator: ";").map { String($0).trimmingBlanks().lowercased() }
            guard let coding = words.first, ["gzip", "x-gzip", "*"].contains(coding) else { continue }
            let weight = words.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            // What is said of gzip itself counts more than what is said of all.
            if coding != "*" { return weight > 0 }
            accepted = weight > 0
        }
        return accepted
    }
}

private struct GzipBodyWriter: ResponseBodyWriter {
    var parent: any ResponseBodyWriter
    let stream: GzipStream

    @concurrent
    mutating func write(_ buffer: ByteBuffer) async throws {
        let compressed = try stream.compress(buffer)
        if compressed.readableBytes > 0 { try await parent.write(compressed) }
    }

    @concurrent
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        try await parent.write(try stream.finish())
        try await parent.finish(trailingHeaders)
    }
}
