import Access
import Domain
import HTTPTypes
import Hummingbird
import ServiceKit

/// The addresses the gateway answers at, and who may use them. Each is declared once; what is declared nowhere is 404,
/// an address with another method 405.
final class RouteTable {
    typealias Handler = @Sendable (Call) async throws -> Response
    typealias OpenHandler = @Sendable (Request, GatewayContext) async throws -> Response

    private let router = Router(context: GatewayContext.self, options: .autoGenerateHeadEndpoints)
    private let authenticator: Authenticator
    private let metrics = HTTPMetrics()
    private var methods: [String: Set<HTTPRequest.Method>] = [:]

    init(authenticator: Authenticator, proxies: TrustedProxies) {
        self.authenticator = authenticator
        router.add(middleware: ExchangeMiddleware(metrics: metrics, proxies: proxies))
    }

    /// An address for signed-in users of some roles.
    func on(
        _ method: HTTPRequest.Method, _ path: String, allow roles: Set<Role>, use handler: @escaping Handler
    ) {
        open(method, path) { [authenticator] request, context in
            let bearer = try await authenticator.bearer(of: request)
            guard roles.contains(bearer.role) else {
                throw Problem.forbidden("The role \(bearer.role.rawValue) may not do this.")
            }
            return try await handler(Call(request: request, context: context, bearer: bearer))
        }
    }

    /// An address for everybody.
    func open(_ method: HTTPRequest.Method, _ path: String, use handler: @escaping OpenHandler) {
        methods[path, default: []].insert(method)
        router.on(RouterPath(path), method: method) { request, context in try await handler(request, context) }
    }

    /// `/healthz`, `/readyz` and `/metrics`, for everybody.
    /// - Parameter figures: further lines of `/metrics`.
    func addHealth(_ health: ServiceHealth, figures: @escaping @Sendable () -> String) {
        health.addRoutes(to: router) { [metrics] in metrics.text + figures() }
        for path in ["/healthz", "/readyz", "/metrics"] { methods[path, default: []].insert(.get) }
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
        .get, .head, .post, .put, .patch, .delete, .options, .trace,
    ]
}

extension Set<Role> {
    /// Those who manage exams.
    static let staff: Set<Role> = [.admin, .teacher, .service]
    /// Those who see exams, as a whole or a question of them.
    static let staffAndMarkers: Set<Role> = staff.union([.marker])
    static let operators: Set<Role> = [.admin, .service]
    static let everyone = Set(Role.allCases)
}
