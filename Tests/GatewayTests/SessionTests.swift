import Access
import Accounts
import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1
import ServiceKit
import TestSupport
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(3))) struct SessionTests {
    private struct Tokens {
        let access: String
        let refresh: String

        init(_ answer: RunningGateway.Answer) throws {
            #expect(answer.status == 200, "\(answer.text)")
            access = try #require(answer.json["access_token"] as? String)
            refresh = try #require(answer.json["refresh_token"] as? String)
        }
    }

    private func createLi(_ gateway: RunningGateway) async throws {
        let answer = try await gateway.send(
            "POST", "/api/users", json: #"{"id":"li","role":"teacher","password":"correct horse"}"#,
            token: try await gateway.token("root", .admin))
        #expect(answer.status == 201)
    }

    private func signIn(_ gateway: RunningGateway, _ password: String = "correct horse") async throws -> Tokens {
        try Tokens(
            try await gateway.send(
                "POST", "/api/auth/token", json: #"{"username":"li","password":"\#(password)"}"#, token: ""))
    }

    private func refresh(_ gateway: RunningGateway, _ token: String) async throws -> RunningGateway.Answer {
        try await gateway.send("POST", "/api/auth/refresh", json: #"{"refresh_token":"\#(token)"}"#, token: "")
    }

    private func problem(_ gateway: RunningGateway, _ token: String) async throws -> String? {
        try await gateway.send("GET", "/api/exams", token: token).problem
    }

    @Test func `a refresh token whose answer was lost is good again`() async throws {
        try await RunningGateway.run { gateway in
            try await createLi(gateway)
            let first = try await signIn(gateway)
            let lost = try Tokens(try await refresh(gateway, first.refresh))
            let second = try Tokens(try await refresh(gateway, first.refresh))
            #expect(second.refresh != lost.refresh)
            let third = try Tokens(try await refresh(gateway, second.refresh))
            for token in [first.access, second.access, third.access] {
                #expect(try await problem(gateway, token) == nil)
            }
        }
    }

    @Test func `a refresh token is good once, and a second use voids the session`() async throws {
        var configuration = GatewayConfiguration()
        configuration.refreshGrace = 0
        try await RunningGateway.run(configuration) { gateway in
            try await createLi(gateway)
            let first = try await signIn(gateway)
            let other = try await signIn(gateway)
            let second = try Tokens(try await refresh(gateway, first.refresh))
            #expect(second.refresh != first.refresh)
            #expect(try await problem(gateway, second.access) == nil)
            #expect(try await problem(gateway, first.access) == nil)

            let reused = try await refresh(gateway, first.refresh)
            #expect(reused.status == 401)
            #expect(reused.problem == "refresh-token-invalid")
            #expect(try await refresh(gateway, second.refresh).status == 401)
            #expect(try await problem(gateway, first.access) == "token-invalid")
            #expect(try await problem(gateway, second.access) == "token-invalid")
            #expect(try await problem(gateway, other.access) == nil)

            let audit = try await gateway.send(
                "GET", "/api/audit?action=session.reused", token: try await gateway.token("root", .admin))
            #expect(audit.items.count == 1)
            #expect(audit.items[0]["subject"] as? String == "user/li")
            #expect(try await refresh(gateway, "made up").status == 401)
            #expect(try await refresh(gateway, RefreshToken(for: "li").text).status == 401)
        }
    }

    @Test func `signing out voids the session, by either token`() async throws {
        try await RunningGateway.run { gateway in
            try await createLi(gateway)
            let (first, second) = (try await signIn(gateway), try await signIn(gateway))
            #expect(try await gateway.send("POST", "/api/auth/logout", token: first.access).status == 204)
            #expect(try await problem(gateway, first.access) == "token-invalid")
            #expect(try await refresh(gateway, first.refresh).status == 401)
            #expect(try await problem(gateway, second.access) == nil)

            let out = try await gateway.send(
                "POST", "/api/auth/logout", json: #"{"refresh_token":"\#(second.refresh)"}"#, token: "")
            #expect(out.status == 204)
            #expect(try await problem(gateway, second.access) == "token-invalid")
            let again = try await gateway.send(
                "POST", "/api/auth/logout", json: #"{"refresh_token":"\#(second.refresh)"}"#, token: "")
            #expect(again.status == 204)

            // A token of no session, as `zhiyue token` makes them.
            let single = try await gateway.token("li", .teacher)
            let sibling = try await gateway.token("li", .teacher)
            #expect(try await gateway.send("POST", "/api/auth/logout", token: single).status == 204)
            #expect(try await problem(gateway, single) == "token-invalid")
            #expect(try await problem(gateway, sibling) == nil)
            #expect(try await gateway.send("POST", "/api/auth/logout", token: "").status == 415)
            let audit = try await gateway.send(
                "GET", "/api/audit?action=sign_out", token: try await gateway.token("root", .admin))
            #expect(audit.items.count == 3)
        }
    }

    @Test(arguments: ["disabled", "role", "password", "removed", "revoked"])
    func `what an administrator changes about a user is felt by its tokens at once`(what: String) async throws {
        try await RunningGateway.run { gateway in
            try await createLi(gateway)
            let admin = try await gateway.token("root", .admin)
            let tokens = try await signIn(gateway)
            let made = try await gateway.token("li", .teacher)
            #expect(try await problem(gateway, tokens.access) == nil)
            let answer =
                switch what {
                case "removed": try await gateway.send("DELETE", "/api/users/li", token: admin)
                case "revoked": try await gateway.send("DELETE", "/api/users/li/sessions", token: admin)
                default:
                    try await gateway.send(
                        "PATCH", "/api/users/li",
                        json: what == "disabled"
                            ? #"{"disabled":true}"#
                            : what == "role" ? #"{"role":"marker"}"# : #"{"password":"battery staple"}"#,
                        token: admin)
                }
            #expect(answer.status < 300, "\(answer.text)")
            #expect(try await problem(gateway, tokens.access) == "token-invalid")
            #expect(try await problem(gateway, made) == "token-invalid")
            #expect(try await refresh(gateway, tokens.refresh).status == 401)
            if what == "password" || what == "revoked" {
                let next = try await signIn(gateway, what == "password" ? "battery staple" : "correct horse")
                #expect(try await problem(gateway, next.access) == nil)
            }
        }
    }

    @Test func `who changes the own password goes on with new tokens, and the old ones are void`() async throws {
        try await RunningGateway.run { gateway in
            try await createLi(gateway)
            let (here, elsewhere) = (try await signIn(gateway), try await signIn(gateway))
            let next = try Tokens(
                try await gateway.send(
                    "POST", "/api/auth/password",
                    json: #"{"old_password":"correct horse","new_password":"battery staple"}"#, token: here.access))
            #expect(try await problem(gateway, next.access) == nil)
            #expect(try await refresh(gateway, next.refresh).status == 200)
            #expect(try await problem(gateway, here.access) == "token-invalid")
            #expect(try await problem(gateway, elsewhere.access) == "token-invalid")
        }
    }

    @Test func `what another process revokes is felt without being asked for`() async throws {
        try await RunningGateway.run { gateway in
            try await createLi(gateway)
            let tokens = try await signIn(gateway)
            var request = HTTPClientRequest(
                url: "http://127.0.0.1:\(gateway.port)/api/events/stream?exam_id=\(try await exam(gateway, tokens))")
            request.headers.add(name: "Authorization", value: "Bearer \(tokens.access)")
            let stream = try await HTTPClient.shared.execute(request, timeout: .seconds(100))
            #expect(stream.status == .ok)
            // As the command line or another gateway would.
            let elsewhere = Accounts(client: gateway.context.client, keys: gateway.context.settings.keys)
            _ = try await elsewhere.revokeAll(of: "li", by: Author(actor: nil, address: nil, source: "/test"))
            // The stream ends by itself.
            let text = String(buffer: try await stream.body.collect(upTo: 1 << 20))
            #expect(text.contains(#"{"reason":"token_revoked"}"#))
            #expect(try await problem(gateway, tokens.access) == "token-invalid")
        }
    }

    @Test func `while Redis is away what was valid stays valid`() async throws {
        try await RunningGateway.run { gateway in
            try await createLi(gateway)
            let tokens = try await signIn(gateway)
            gateway.redis.stop()
            #expect(try await problem(gateway, tokens.access) == "store-unavailable")
            #expect(try await problem(gateway, "e30.e30.e30") == "token-invalid")
        }
    }

    private func exam(_ gateway: RunningGateway, _ tokens: Tokens) async throws -> String {
        try await gateway.createExam(token: tokens.access)
    }
}
