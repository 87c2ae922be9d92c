internal import Domain
package import Hummingbird
package import Redis
internal import Synchronization

/// Whether this process lives and can work, for load balancers and supervisors.
package final class ServiceHealth: Sendable {
    private let client: RedisClient
    private let started: ContinuousClock.Instant
    private let service: String
    private let stopping = Mutex(false)
    private let requirements = Mutex<[Requirement]>([])
    private static let patience: Duration = .milliseconds(1500)

    package init(service: String, client: RedisClient) {
        self.service = service
        self.client = client
        started = ContinuousClock.now
    }

    /// From now on the process answers that it is not ready.
    package func stop() {
        stopping.withLock { $0 = true }
    }

    private struct Requirement {
        let problem: String
        let isMet: @Sendable () -> Bool
    }

    /// From now on the process is not ready while something it needs to work is not there.
    ///
    /// - Parameters:
    ///   - problem: what the process answers meanwhile.
    ///   - isMet: asked each time, and must not take long.
    package func require(orSay problem: String, _ isMet: @escaping @Sendable () -> Bool) {
        requirements.withLock { $0.append(Requirement(problem: problem, isMet: isMet)) }
    }

    /// - Returns: nil when ready, else what is missing.
    package func problem() async -> String? {
        if stopping.withLock({ $0 }) { return "stopping" }
        if let missing = requirements.withLock({ $0 }).first(where: { !$0.isMet() }) { return missing.problem }
        return await answers() ? nil : "Redis does not answer"
    }

    /// Commands wait several seconds for a Redis that is away; who asks whether this process is ready does not.
    private func answers() async -> Bool {
        await withTaskGroup(of: Bool.self) { tasks in
            tasks.addTask { (try? await self.client.send(["PING"])) != nil }
            tasks.addTask {
                try? await Task.sleep(for: Self.patience)
                return false
            }
            defer { tasks.cancelAll() }
            return await tasks.next() ?? false
        }
    }

    /// Adds `/healthz` (the process lives), `/readyz` (it can work) and `/metrics` (Prometheus text) to a router.
    ///
    /// - Parameter metrics: what the service counts itself, in the same format.
    package func addRoutes<Context: RequestContext>(
        to router: Router<Context>, metrics: @escaping @Sendable () -> String = { "" }
    ) {
        router.get("healthz") { _, _ in "ok\n" }
        router.get("readyz") { _, _ in
            if let problem = await self.problem() {
                return Response(
                    status: .serviceUnavailable, headers: [.contentType: "text/plain; charset=utf-8"],
                    body: .init(byteBuffer: .init(string: problem + "\n")))
            }
            return Response(
                status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
                body: .init(byteBuffer: .init(string: "ready\n")))
        }
        router.get("metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: .init(string: self.metrics() + metrics())))
        }
    }

    private func metrics() -> String {
        let uptime = started.duration(to: .now).components.seconds
        return """
            # HELP process_resident_memory_bytes Resident memory.
            # TYPE process_resident_memory_bytes gauge
            process_resident_memory_bytes{service="\(service)"} \(ProcessFigures.residentBytes)
            # HELP process_cpu_seconds_total Processor time used.
            # TYPE process_cpu_seconds_total counter
            process_cpu_seconds_total{service="\(service)"} \(ProcessFigures.processorSeconds)
            # HELP process_uptime_seconds Time since the start.
            # TYPE process_uptime_seconds gauge
            process_uptime_seconds{service="\(service)"} \(uptime)

            """
    }
}
