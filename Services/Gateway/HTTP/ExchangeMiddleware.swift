import Domain
import HTTPTypes
import Hummingbird
import Logging
import NIOHTTP1

/// Around everything else: gives a request its identifiers, counts it, turns errors into problem documents, says what
/// browsers may do with the answer, and logs it.
struct ExchangeMiddleware: RouterMiddleware {
    typealias Context = GatewayContext

    let metrics: HTTPMetrics
    let proxies: TrustedProxies
    let limits: RateLimits
    let origins: CrossOrigin
    let security: SecurityHeaders

    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.address = proxies.client(peer: context.address, forwarded: request.headers[.forwardedFor])
        context.requestID = RequestIdentifier.of(request, .requestID) ?? UUIDv7.make().compactString
        context.trace = TraceParent(request.headers[.traceParent])
        context.correlationID =
            (RequestIdentifier.of(request, .correlationID) ?? context.trace?.traceID).map { CorrelationID($0) }
            ?? .make()
        context.logger[metadataKey: "request_id"] = "\(context.requestID)"
        context.logger[metadataKey: "correlation_id"] = "\(context.correlationID)"
        let start = ContinuousClock.now
        var response: Response
        do {
            response = try await answer(request, context, next)
        } catch let error as HTTPParserError {
            // The server answers what is no HTTP itself.
            throw error
        } catch {
            response = Self.response(to: error, context: context)
        }
        response.headers[.requestID] = context.requestID
        response.headers[.correlationID] = context.correlationID.rawValue
        origins.mark(&response, to: request)
        security.mark(&response)
        report(request, response, context: context, duration: ContinuousClock.now - start)
        return response
    }

    private func answer(
        _ request: Request, _ context: GatewayContext,
        _ next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        if let response = origins.preflight(request) { return response }
        guard !isHealthCheck(request, context) else { return try await next(request, context) }
        let told = try limits.count(address: context.address)
        var response = try await next(request, context)
        // What is told of the user, if anything, matters more.
        if response.headers[.rateLimit] == nil { response.headers.append(contentsOf: told) }
        return response
    }

    /// By a supervisor on the same machine.
    private func isHealthCheck(_ request: Request, _ context: GatewayContext) -> Bool {
        ["/healthz", "/readyz", "/metrics"].contains(request.uri.path)
            && (context.address.map { $0 == "::1" || $0.hasPrefix("127.") } ?? true)
    }

    private static func response(to error: any Error, context: GatewayContext) -> Response {
        if let problem = Problem(error) {
            if problem.status.kind == .serverError {
                context.logger.warning("request not served", metadata: ["error": "\(error)"])
            }
            return problem.response(requestID: context.requestID)
        }
        context.logger.error("request failed", metadata: ["error": "\(error)"])
        let problem = Problem(
            .internalServerError, "internal-error", "Something went wrong here. The log has the request's identifier.")
        return problem.response(requestID: context.requestID)
    }

    private func report(_ request: Request, _ response: Response, context: GatewayContext, duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let milliseconds = Double(seconds) * 1000 + Double(attoseconds) / 1e15
        metrics.record(
            method: request.method, route: context.endpointPath, status: response.status.code,
            seconds: milliseconds / 1000)
        context.logger.debug(
            "request",
            metadata: [
                "method": "\(request.method.rawValue)", "path": "\(request.uri.path)",
                "status": "\(response.status.code)", "milliseconds": "\(milliseconds)",
            ])
    }
}
