import Access
import Domain
import Foundation
import Testing

@testable import Gateway

@Suite struct SignInTests {
    private static func configuration(_ adminPasswordFile: String) -> GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.adminPasswordFile = adminPasswordFile
        return configuration
    }

    @Test func `the administrator signs in with the password of the file and nobody else does`() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("password-\(UUID().uuidString)").path
        try "correct horse\n".write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        try await RunningGateway.run(Self.configuration(file)) { gateway in
            let answer = try await gateway.send(
                "POST", "/api/auth/token", json: #"{"username":"admin","password":"correct horse"}"#, token: "")
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.json["token_type"] as? String == "Bearer")
            #expect(answer.json["expires_in"] as? Int == 8 * 3600)
            let token = try #require(answer.json["access_token"] as? String)
            #expect(try await gateway.send("GET", "/api/system/status", token: token).status == 200)

            for credentials in [
                #"{"username":"admin","password":"correct horsf"}"#,
                #"{"username":"nobody","password":"correct horse"}"#,
                #"{"username":"a b","password":""}"#,
            ] {
                let refused = try await gateway.send("POST", "/api/auth/token", json: credentials, token: "")
                #expect(refused.status == 401)
                #expect(refused.problem == "wrong-credentials")
                #expect(refused.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
            }
        }
    }

    @Test func `a file with a short password stops the start with a line that names the setting`() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("password-\(UUID().uuidString)").path
        try "short\n".write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let error = await #expect(throws: (any Error).self) {
            try await RunningGateway.run(Self.configuration(file)) { _ in }
        }
        #expect("\(String(describing: error))".contains("ADMIN_PASSWORD_FILE"))
    }

    @Test func `a request without a valid token is refused and told why`() async throws {
        try await RunningGateway.run { gateway in
            let missing = try await gateway.send("GET", "/api/exams", token: "")
            #expect(missing.status == 401)
            #expect(missing.problem == "token-missing")
            #expect(missing.headers["www-authenticate"] == #"Bearer realm="zhiyue""#)

            let past = Timestamp(milliseconds: Timestamp.now.milliseconds - 120_000)
            let authority = try await TokenAuthority(secret: TokenSecret(RunningGateway.secret), now: { past })
            let expired = try await authority.token(for: "zhang", role: .teacher, lifetime: 60)
            let refused = try await gateway.send("GET", "/api/exams", token: expired)
            #expect(refused.status == 401)
            #expect(refused.problem == "token-expired")
            #expect(refused.headers["www-authenticate"]?.contains(#"error="invalid_token""#) == true)

            let forged = try await gateway.send("GET", "/api/exams", token: "e30.e30.e30")
            #expect(forged.problem == "token-invalid")
        }
    }

    @Test(arguments: [Role.student, .marker])
    func `students and markers may not use what is for staff`(role: Role) async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let token = try await gateway.token("li", role)
            for path in ["/api/exams/\(exam)/sheets", "/api/system/status", "/api/tasks", "/api/events", "/api/users"] {
                let answer = try await gateway.send("GET", path, token: token)
                #expect(answer.status == 403, "\(path)")
                #expect(answer.problem == "forbidden")
            }
            #expect(try await gateway.send("GET", "/api/notifications", token: token).status == 200)
        }
    }
}
