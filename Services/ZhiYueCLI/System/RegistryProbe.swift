internal import Redis
internal import ServiceKit

/// Watches the registry until every process of a system has reported that it is ready.
enum RegistryProbe {
    static func waitUntilReady(_ system: RunningSystem) async throws {
        let connection = try await SystemConnection(redisURL: system.redisURL, dataDirectory: system.dataDirectory)
        let replicas = Set(system.replicas)
        // Redis may be away for a moment; how long a start may take is for the caller to say.
        while !replicas.isSubset(of: (try? await readyReplicas(connection)) ?? []) {
            guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { break }
        }
        await connection.close()
        try Task.checkCancellation()
    }

    private static func readyReplicas(_ connection: SystemConnection) async throws -> [String] {
        try await connection.registry.list().filter { $0.state == .ready }.map(\.replica)
    }
}
