import Logging
import TestSupport

@testable import Redis

/// A client of a private server for the time of `body`; both are gone afterwards.
@discardableResult
func withClient<R>(
    of server: RedisServer, _ adjust: (inout RedisConfiguration) -> Void = { _ in },
    _ body: (RedisClient) async throws -> R
) async throws -> R {
    try await withClient(url: server.url, adjust, body)
}

@discardableResult
func withClient<R>(
    url: String, _ adjust: (inout RedisConfiguration) -> Void = { _ in },
    _ body: (RedisClient) async throws -> R
) async throws -> R {
    var configuration = try RedisConfiguration(url: url)
    adjust(&configuration)
    let client = RedisClient(
        configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    do {
        let result = try await body(client)
        await client.close()
        return result
    } catch {
        await client.close()
        throw error
    }
}

/// The error `body` ends with, or nil.
func failure<R>(_ body: () async throws -> R) async -> RedisError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? RedisError
    }
}

extension RedisClient {
    /// Waits until `condition` holds for what waits and what is in flight.
    func load(where condition: (RedisDispatcher.Load) -> Bool) async throws {
        while try await !condition(dispatcher.load()) {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}
