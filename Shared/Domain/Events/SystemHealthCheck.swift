/// A look at all services.
package struct SystemHealthCheck: EventPayload {
    package static let type: EventType = "system.health_check"

    package var healthy: Bool
    /// Live replicas by service.
    package var services: [String: Int]

    package init(healthy: Bool, services: [String: Int]) {
        self.healthy = healthy
        self.services = services
    }

    package var subject: String { "system" }
}
