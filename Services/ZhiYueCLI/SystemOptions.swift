internal import ArgumentParser
internal import FoundationEssentials

/// Where a system keeps its files.
struct DataOptions: ParsableArguments {
    static let defaultDirectory = ".data"

    @Option(help: "The system's data directory (default: $DATA_DIR, else .data).")
    var data: String?

    var dataDirectory: String {
        let given = data ?? ProcessInfo.processInfo.environment["DATA_DIR"]
        return given.flatMap { $0.isEmpty ? nil : $0 } ?? Self.defaultDirectory
    }
}

/// The running system that a command works with.
struct SystemOptions: ParsableArguments {
    @OptionGroup var files: DataOptions

    @Option(help: "The system's Redis (default: $REDIS_URL, else the private one of the data directory).")
    var redisURL: String?

    func withConnection<R>(_ body: (SystemConnection) async throws -> R) async throws -> R {
        let connection = try await SystemConnection(redisURL: redisURL, dataDirectory: files.dataDirectory)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }
}
