import Configuration
import ServiceKit
import Testing

@testable import Gateway

@Suite struct GatewayConfigurationTests {
    private func configuration(_ settings: [String: String]) throws -> GatewayConfiguration {
        let provider = EnvironmentVariablesProvider(environmentVariables: settings)
        return try GatewayConfiguration(reader: SettingsReader(config: ConfigReader(provider: provider)))
    }

    @Test func `what is set is taken over, and what is not has its default`() throws {
        let configuration = try configuration([
            "HTTP_RATE_LIMIT_USER": "60", "HTTP_RATE_LIMIT_ADDRESS": "0", "HTTP_BEHIND_TLS": "yes",
            "HTTP_CORS_ORIGINS": "https://a.example,https://b.example:8443", "WEBSOCKET_DEFLATE": "Yes",
        ])
        #expect(configuration.rateLimitUser == 60)
        #expect(configuration.rateLimitAddress == 0)
        #expect(configuration.isBehindTLS)
        #expect(configuration.realtime.deflate)
        #expect(try !self.configuration([:]).realtime.deflate)
        #expect(configuration.origins.origins == ["https://a.example", "https://b.example:8443"])
        #expect(try self.configuration([:]).origins.origins.isEmpty)
        #expect(try self.configuration([:]).rateLimitUser == 600_000)
    }

    @Test(
        arguments: [
            ("HTTP_RATE_LIMIT_USER", "-1"), ("HTTP_RATE_LIMIT_ADDRESS", "many"), ("HTTP_CORS_ORIGINS", "a.example"),
            ("HTTP_BEHIND_TLS", "maybe"), ("WEBSOCKET_DEFLATE", "zlib"),
        ])
    func `a wrong value stops the process with its name`(name: String, value: String) {
        #expect { try configuration([name: value]) } throws: { ($0 as? SettingsError)?.name == name }
    }
}
