import Logging
import Redis
import TestSupport
import Testing

@Suite struct RedisClientTests {
    @Test func aCommandSentOverAUnixSocketIsAnswered() async throws {
        let server = try RedisServer()
        let client = RedisClient(configuration: try RedisConfiguration(url: server.url), logger: Logger(label: "test"))
        #expect(try await client.send(["SET", "key", "value"]).string == "OK")
        #expect(try await client.send(["GET", "key"]).string == "value")
        await client.close()
        server.stop()
    }
}
