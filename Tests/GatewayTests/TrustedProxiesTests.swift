import Configuration
import Domain
import ServiceKit
import Testing

@testable import Gateway

@Suite struct TrustedProxiesTests {
    @Test(
        arguments: [
            ("10.0.0.1", "1.2.3.4", "1.2.3.4"), ("10.0.0.1", "9.9.9.9, 1.2.3.4", "1.2.3.4"),
            ("10.0.0.1", "9.9.9.9, 1.2.3.4, 10.0.0.2", "1.2.3.4"), ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
            ("10.0.0.1", nil, "10.0.0.1"), ("10.0.0.1", "1.2.3.4, nonsense", "10.0.0.1"),
            ("5.5.5.5", "1.2.3.4", "5.5.5.5"), ("10.0.0.1", "2001:db8::1", "2001:db8::1"), ("10.0.0.1", "", "10.0.0.1"),
        ] as [(String, String?, String)])
    func `only our own proxies are believed where a request comes from`(
        peer: String, forwarded: String?, client: String
    ) {
        let proxies = TrustedProxies(["10.0.0.1", "10.0.0.2"])
        #expect(proxies.client(peer: peer, forwarded: forwarded) == client)
    }

    @Test func `what is no address is refused with the setting's name`() throws {
        func read(_ text: String) throws -> TrustedProxies {
            let provider = EnvironmentVariablesProvider(environmentVariables: ["HTTP_TRUSTED_PROXIES": text])
            return try TrustedProxies(reader: SettingsReader(config: ConfigReader(provider: provider)))
        }
        #expect(try read("10.0.0.1, ::1").client(peer: "::1", forwarded: "1.2.3.4") == "1.2.3.4")
        let error = #expect(throws: SettingsError.self) { try read("10.0.0.1,proxy") }
        #expect(error?.name == "HTTP_TRUSTED_PROXIES")
    }

    @Test(arguments: [(["127.0.0.1"], "203.0.113.9"), ([], "127.0.0.1")] as [(Set<String>, String)])
    func `the audit log has the client's address behind a proxy of ours`(proxies: Set<String>, address: String)
        async throws
    {
        var configuration = GatewayConfiguration()
        configuration.proxies = TrustedProxies(proxies)
        try await RunningGateway.run(configuration) { gateway in
            _ = try await gateway.send(
                "POST", "/api/auth/token", json: #"{"username":"li","password":"wrong"}"#, token: "",
                headers: ["X-Forwarded-For": "198.51.100.7, 203.0.113.9"])
            let audit = try await gateway.send(
                "GET", "/api/audit?action=sign_in.refused", token: try await gateway.token("root", .admin))
            #expect(audit.items.compactMap { $0["address"] as? String } == [address])
        }
    }
}
