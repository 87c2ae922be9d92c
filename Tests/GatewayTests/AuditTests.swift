import Domain
import Foundation
import Testing

@testable import Gateway

@Suite struct AuditTests {
    @Test func `sign-ins are written, refused ones without a name nobody has, none with a password`() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("password-\(UUID().uuidString)").path
        try "correct horse\n".write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        var configuration = GatewayConfiguration()
        configuration.adminPasswordFile = file
        try await RunningGateway.run(configuration) { gateway in
            for credentials in [
                #"{"username":"admin","password":"wrong battery"}"#,
                #"{"username":"staple secret","password":"x"}"#,
                #"{"username":"admin","password":"correct horse"}"#,
            ] {
                _ = try await gateway.send("POST", "/api/auth/token", json: credentials, token: "")
            }
            let admin = try await gateway.token("admin", .admin)
            let audit = try await gateway.send("GET", "/api/audit?order=oldest", token: admin)
            #expect(audit.status == 200, "\(audit.text)")
            let actions = audit.items.compactMap { $0["action"] as? String }
            #expect(actions == ["user.created", "sign_in.refused", "sign_in.refused", "sign_in.accepted"])
            #expect(audit.items[1]["actor"] as? String == "admin")
            #expect(audit.items[2]["actor"] is NSNull)
            #expect(audit.items[3]["address"] as? String == "127.0.0.1")
            for secret in ["wrong battery", "staple secret", "correct horse"] {
                #expect(!audit.text.contains(secret))
            }
            let refused = try await gateway.send("GET", "/api/audit?action=sign_in.refused&limit=1", token: admin)
            #expect(refused.items.count == 1)
            let cursor = try #require(refused.json["next_cursor"] as? String)
            let older = try await gateway.send(
                "GET", "/api/audit?action=sign_in.refused&limit=1&cursor=\(cursor)", token: admin)
            #expect(older.items[0]["actor"] as? String == "admin")
            #expect(try await gateway.send("GET", "/api/audit?action=none", token: admin).status == 400)
            #expect(try await gateway.send("GET", "/api/audit").status == 403)
        }
    }

    @Test func `changes of an exam are written with who made them from where`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            _ = try await gateway.send(
                "PATCH", "/api/exams/\(exam)", json: #"{"title":"Final"}"#, headers: ["X-Correlation-ID": "mine"])
            #expect(try await gateway.send("DELETE", "/api/exams/\(exam)").status == 204)
            let admin = try await gateway.token("root", .admin)
            let audit = try await gateway.send("GET", "/api/audit?exam_id=\(exam)", token: admin)
            #expect(
                audit.items.compactMap { $0["action"] as? String } == ["exam.deleted", "exam.changed", "exam.created"])
            #expect(audit.items.allSatisfy { $0["actor"] as? String == "zhang" })
            #expect(audit.items.allSatisfy { $0["address"] as? String == "127.0.0.1" })
            #expect(audit.items[1]["correlation_id"] as? String == "mine")
            #expect(audit.items[1]["details"] as? [String: String] == ["version": "2", "changed": "title"])
            let chain = try await gateway.send("GET", "/api/audit?correlation_id=mine", token: admin)
            #expect(chain.items.count == 1)
        }
    }
}
