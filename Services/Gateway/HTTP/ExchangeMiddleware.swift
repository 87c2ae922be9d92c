import Domain
import HTTPTypes
import Hummingbird
import Logging
import NIOHTTP1

/// Around everything else: gives a request its identifiers, turns errors into problem documents, and logs it.
struct ExchangeMiddleware: RouterMiddleware {
    typealias Context = GatewayContext

    let metrics: HTTPMetrics

    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        var context = context
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
            response = try await next(request, context)
        } catch let error as HTTPParserError {
            // The server answers what is no HTTP itself.
            throw error
        } catch {
            response = Self.response(to: error, context: context)
        }
        response.headers[.requestID] = context.requestID
        response.headers[.correlationID] = context.correlationID.rawValue
        response.headers[.contentTypeOptions] = "nosniff"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        report(request, response, context: context, duration: ContinuousClock.now - start)
        return response
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
