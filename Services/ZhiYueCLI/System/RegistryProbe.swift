internal import Redis
internal import ServiceKit

/// Watches the registry until every process of a system has reported that it is ready.
enum RegistryProbe {
    static func waitUntilReady(_ system: RunningSystem) async throws {
        let connection = try await SystemConnection(redisURL: system.redisURL, dataDirectory: system.dataDirectory)
        let replicas = Set(system.replicas)
        do {
            while try await !replicas.isSubset(of: readyReplicas(connection)) {
                try await Task.sleep(for: .milliseconds(20))
            }
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
    }

    private static func readyReplicas(_ connection: SystemConnection) async throws -> [String] {
        try await connection.registry.list().filter { $0.state == .ready }.map(\.replica)
    }
}
