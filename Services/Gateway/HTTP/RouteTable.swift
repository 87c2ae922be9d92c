import Access
import Domain
import HTTPTypes
import Hummingbird
import ServiceKit

/// The addresses the gateway answers at, who may use them, and what clients are told about them. Each is declared once;
/// what is declared nowhere is 404, an address with another method 405.
final class RouteTable {
    typealias Handler = @Sendable (Call) async throws -> Response
    typealias OpenHandler = @Sendable (Request, GatewayContext) async throws -> Response

    private let router = Router(context: GatewayContext.self, options: .autoGenerateHeadEndpoints)
    private let authenticator: Authenticator
    private let repeats: RepeatStore
    private let limits: RateLimits
    private let metrics = HTTPMetrics()
    private var methods: [String: Set<HTTPRequest.Method>] = [:]
    private(set) var document = APIDocument()

    init(authenticator: Authenticator, repeats: RepeatStore, configuration: GatewayConfiguration) {
        self.authenticator = authenticator
        self.repeats = repeats
        limits = RateLimits(address: configuration.rateLimitAddress, user: configuration.rateLimitUser)
        router.add(middleware: CompressionMiddleware())
        router.add(
            middleware: ExchangeMiddleware(
                metrics: metrics, proxies: configuration.proxies, limits: limits, origins: configuration.origins,
                security: SecurityHeaders(isBehindTLS: configuration.isBehindTLS)))
    }

    /// An address for signed-in users of some roles.
    func on(
        _ method: HTTPRequest.Method, _ path: String, allow roles: Set<Role>, _ operation: Operation,
        use handler: @escaping Handler
    ) {
        document.add(method, path, roles: roles, operation)
        add(method, path) { [authenticator, repeats, limits] request, context in
            let bearer = try await authenticator.bearer(of: request)
            let told = try limits.count(user: bearer.user)
            guard roles.contains(bearer.role) else {
                throw Problem.forbidden("The role \(bearer.role.rawValue) may not do this.")
            }
            let call = Call(
                request: request, context: context, bearer: bearer, operation: operation, repeats: repeats)
            var response =
                operation.repetition == .byBody ? try await call.onceByBody(handler) : try await handler(call)
            response.headers.append(contentsOf: told)
            return response
        }
    }

    /// An address for everybody.
    func open(
        _ method: HTTPRequest.Method, _ path: String, _ operation: Operation, use handler: @escaping OpenHandler
    ) {
        document.add(method, path, roles: nil, operation)
        add(method, path, use: handler)
    }

    /// An address for everybody that serves something made of the description so far, itself included.
    func open(
        _ method: HTTPRequest.Method, _ path: String, _ operation: Operation,
        use makeHandler: (APIDocument) throws -> OpenHandler
    ) rethrows {
        document.add(method, path, roles: nil, operation)
        add(method, path, use: try makeHandler(document))
    }

    private func add(_ method: HTTPRequest.Method, _ path: String, use handler: @escaping OpenHandler) {
        let isNew = methods[path, default: []].insert(method).inserted
        precondition(isNew, "\(method) \(path) is declared twice")
        router.on(RouterPath(path), method: method) { request, context in try await handler(request, context) }
    }

    /// `/healthz`, `/readyz` and `/metrics`, for everybody.
    /// - Parameter figures: further lines of `/metrics`.
    func addHealth(_ health: ServiceHealth, figures: @escaping @Sendable () -> String) {
        health.addRoutes(to: router) { [metrics] in metrics.text + figures() }
        for (path, operation) in [
            ("/healthz", Operation("Whether the process lives.", .content("text/plain", "It does."))),
            ("/readyz", Operation("Whether it can work.", .content("text/plain", "It can."), .unready)),
            ("/metrics", Operation("Figures for Prometheus.", .content("text/plain", "In its text format."))),
        ] {
            document.add(.get, path, roles: nil, operation)
            methods[path, default: []].insert(.get)
        }
    }

    /// To be called once, when all addresses are declared.
    func buildResponder() -> RouterResponder<GatewayContext> {
        for (path, declared) in methods {
            let allowed = declared.contains(.get) ? declared.union([.head]) : declared
            let list = allowed.map(\.rawValue).sorted().joined(separator: ", ")
            for method in Self.knownMethods.subtracting(allowed) {
                router.on(RouterPath(path), method: method) { _, _ -> Response in
                    throw Problem(
                        .methodNotAllowed, "method-not-allowed", "This address knows \(list).", headers: [.allow: list])
                }
            }
        }
        return router.buildResponder()
    }

    private static let knownMethods: Set<HTTPRequest.Method> = [
        .get, .head, .post, .put, .patch, .delete, .options, .trace, .query,
    ]
}

extension HTTPRequest.Method {
    /// Safe and with a body; not in the library yet.
    fileprivate static let query = HTTPRequest.Method("QUERY") ?? .trace
}

extension Operation.Answer {
    fileprivate static let unready = Self(
        status: .serviceUnavailable, detail: "It cannot, and this is why.", type: "text/plain", schema: .string)
}

extension Set<Role> {
    /// Those who manage exams.
    static let staff: Set<Role> = [.admin, .teacher, .service]
    /// Those who see exams, as a whole or a question of them.
    static let staffAndMarkers: Set<Role> = staff.union([.marker])
    static let operators: Set<Role> = [.admin, .service]
    static let everyone = Set(Role.allCases)
}
