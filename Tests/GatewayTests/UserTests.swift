import Accounts
import Domain
import Foundation
import Testing

@testable import Gateway

@Suite struct UserTests {
    private static let li = #"{"id":"li","role":"teacher","password":"correct horse"}"#

    private func signIn(_ gateway: RunningGateway, _ user: String, _ password: String) async throws
        -> RunningGateway.Answer
    {
        try await gateway.send(
            "POST", "/api/auth/token", json: #"{"username":"\#(user)","password":"\#(password)"}"#, token: "")
    }

    @Test func `an administrator creates, lists, changes and removes users`() async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            let created = try await gateway.send("POST", "/api/users", json: Self.li, token: admin)
            #expect(created.status == 201, "\(created.text)")
            #expect(created.headers["location"] == "/api/users/li")
            #expect(created.json["role"] as? String == "teacher")
            #expect(created.json["disabled"] as? Bool == false)
            #expect(try await gateway.send("POST", "/api/users", json: Self.li, token: admin).problem == "user-exists")
            #expect(try await signIn(gateway, "li", "correct horse").status == 200)

            let list = try await gateway.send("GET", "/api/users?role=teacher", token: admin)
            #expect(list.items.compactMap { $0["id"] as? String } == ["li"])
            #expect(!list.text.contains("scrypt"))

            let disabled = try await gateway.send(
                "PATCH", "/api/users/li", json: #"{"disabled":true}"#, token: admin)
            #expect(disabled.json["disabled"] as? Bool == true)
            #expect(try await signIn(gateway, "li", "correct horse").problem == "wrong-credentials")
            _ = try await gateway.send(
                "PATCH", "/api/users/li", json: #"{"disabled":false,"password":"battery staple"}"#, token: admin)
            #expect(try await signIn(gateway, "li", "correct horse").status == 401)
            #expect(try await signIn(gateway, "li", "battery staple").status == 200)

            let student = try await gateway.send(
                "PATCH", "/api/users/li", json: #"{"role":"student","student_id":"123456"}"#, token: admin)
            #expect(student.json["student_id"] as? String == "123456")
            let teacher = try await gateway.send("PATCH", "/api/users/li", json: #"{"role":"teacher"}"#, token: admin)
            #expect(teacher.json["student_id"] is NSNull)

            #expect(try await gateway.send("DELETE", "/api/users/li", token: admin).status == 204)
            #expect(try await gateway.send("GET", "/api/users/li", token: admin).problem == "user-not-found")
            #expect(try await gateway.send("PATCH", "/api/users/li", json: "{}", token: admin).status == 404)
            #expect(try await gateway.send("DELETE", "/api/users/li", token: admin).status == 404)

            let audit = try await gateway.send("GET", "/api/audit?actor=root&order=oldest", token: admin)
            #expect(
                audit.items.compactMap { $0["action"] as? String } == [
                    "user.created", "user.changed", "user.changed", "user.changed", "user.changed", "user.removed",
                ])
            for secret in ["correct horse", "battery staple", "scrypt"] { #expect(!audit.text.contains(secret)) }
        }
    }

    @Test(arguments: [
        (#"{"id":"a b","role":"teacher","password":"correct horse"}"#, "/id"),
        (#"{"id":"li","role":"teacher","password":"short"}"#, "/password"),
        (#"{"id":"longname","role":"teacher","password":"LongName"}"#, "/password"),
        (#"{"id":"li","role":"teacher","password":"correct horse","student_id":"1"}"#, "/student_id"),
        (#"{"id":"li","role":"student","password":"correct horse","student_id":"12x"}"#, "/student_id"),
    ])
    func `a user that cannot be is refused with where it is wrong`(json: String, pointer: String) async throws {
        try await RunningGateway.run { gateway in
            let answer = try await gateway.send(
                "POST", "/api/users", json: json, token: try await gateway.token("root", .admin))
            #expect(answer.status == 422)
            #expect(answer.problem == "invalid-user")
            #expect(answer.pointers == [pointer])
        }
    }

    @Test func `the last administrator stays one`() async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            let root = #"{"id":"root","role":"admin","password":"correct horse"}"#
            _ = try await gateway.send("POST", "/api/users", json: root, token: admin)
            let answer = try await gateway.send("DELETE", "/api/users/root", token: admin)
            #expect(answer.status == 409)
            #expect(answer.problem == "last-administrator")
        }
    }

    @Test func `users change their own password with the old one`() async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            _ = try await gateway.send("POST", "/api/users", json: Self.li, token: admin)
            let token = try #require(
                try await signIn(gateway, "li", "correct horse").json["access_token"] as? String)
            func change(_ old: String, _ new: String) async throws -> RunningGateway.Answer {
                try await gateway.send(
                    "POST", "/api/auth/password", json: #"{"old_password":"\#(old)","new_password":"\#(new)"}"#,
                    token: token)
            }
            #expect(try await change("wrong horse", "battery staple").status == 403)
            #expect(try await change("correct horse", "short").pointers == ["/new_password"])
            #expect(try await change("correct horse", "battery staple").status < 300)
            #expect(try await signIn(gateway, "li", "correct horse").status == 401)
            #expect(try await signIn(gateway, "li", "battery staple").status == 200)
        }
    }

    @Test(arguments: [Role.teacher, .marker, .student, .service])
    func `only administrators manage users`(role: Role) async throws {
        try await RunningGateway.run { gateway in
            let token = try await gateway.token("li", role)
            for (method, path) in [
                ("GET", "/api/users"), ("POST", "/api/users"), ("GET", "/api/users/li"), ("PATCH", "/api/users/li"),
                ("DELETE", "/api/users/li"), ("DELETE", "/api/users/li/sessions"), ("POST", "/api/users/li/unlock"),
            ] {
                #expect(try await gateway.send(method, path, token: token).status == 403, "\(method) \(path)")
            }
        }
    }
}
