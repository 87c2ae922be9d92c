import Access
import Accounts
import Domain
import Foundation
import Redis
import ServiceKit
import Testing

@testable import Gateway

@Suite struct SignInLimitTests {
    private func configuration(perUser: Int, perAddress: Int) -> GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.signIn.failuresPerUser = perUser
        configuration.signIn.failuresPerAddress = perAddress
        return configuration
    }

    private func signIn(_ gateway: RunningGateway, _ user: String, _ password: String) async throws
        -> RunningGateway.Answer
    {
        try await gateway.send(
            "POST", "/api/auth/token", json: #"{"username":"\#(user)","password":"\#(password)"}"#, token: "")
    }

    private func createLi(_ gateway: RunningGateway) async throws {
        let answer = try await gateway.send(
            "POST", "/api/users", json: #"{"id":"li","role":"teacher","password":"correct horse"}"#,
            token: try await gateway.token("root", .admin))
        #expect(answer.status == 201)
    }

    @Test func `after too many failures not even the right password is looked at, whether the user exists or not`()
        async throws
    {
        try await RunningGateway.run(configuration(perUser: 3, perAddress: 0)) { gateway in
            try await createLi(gateway)
            var told: [[String]] = []
            for user in ["li", "nobody"] {
                var answers: [String] = []
                for _ in 0..<3 {
                    let answer = try await signIn(gateway, user, "wrong horse")
                    answers.append("\(answer.status) \(answer.json["detail"] ?? "")")
                }
                let locked = try await signIn(gateway, user, "correct horse")
                #expect(locked.status == 429)
                #expect(locked.problem == "too-many-failures")
                #expect(try #require(locked.headers["retry-after"].flatMap { Int($0) }) > 800)
                answers.append("\(locked.status) \(locked.json["detail"] ?? "")")
                told.append(answers)
            }
            #expect(told[0] == told[1])
            let audit = try await gateway.send(
                "GET", "/api/audit?action=sign_in.refused", token: try await gateway.token("root", .admin))
            #expect(audit.items.count == 8)
            #expect(!audit.text.contains("nobody"))
            // Nor is the name anywhere in Redis.
            let keys = try await gateway.context.client.send(["KEYS", "*"]).array?.compactMap(\.string) ?? []
            #expect(keys.contains { $0.contains("failures") })
            #expect(!keys.contains { $0.contains("nobody") })
        }
    }

    @Test func `an administrator lets a locked user try again`() async throws {
        try await RunningGateway.run(configuration(perUser: 2, perAddress: 0)) { gateway in
            try await createLi(gateway)
            let root = try await gateway.token("root", .admin)
            for _ in 0..<2 { #expect(try await signIn(gateway, "li", "wrong horse").status == 401) }
            #expect(try await signIn(gateway, "li", "correct horse").status == 429)
            #expect(try await gateway.send("POST", "/api/users/li/unlock", token: root).status == 204)
            #expect(try await signIn(gateway, "li", "correct horse").status == 200)
            #expect(
                try await gateway.send("POST", "/api/users/nobody/unlock", token: root).problem == "user-not-found")
            let audit = try await gateway.send("GET", "/api/audit?action=user.unlocked", token: root)
            #expect(audit.items.count == 1)
        }
    }

    @Test func `a hash of another cost is made again when its user signs in, and nothing is void`() async throws {
        try await RunningGateway.run { gateway in
            let accounts = Accounts(client: gateway.context.client, keys: gateway.context.settings.keys)
            let weak = PasswordHash.Cost(rounds: 1 << 10, blockSize: 8, parallelism: 1)
            let old = try PasswordHash(password: "correct horse", cost: weak).text
            let user = User(id: "li", role: .teacher, passwordHash: old, createdAt: .now)
            try await accounts.create(user, by: Author(actor: nil, address: nil, source: "/test"))
            let earlier = try await gateway.token("li", .teacher)
            let answer = try await signIn(gateway, "li", "correct horse")
            #expect(answer.status == 200)
            let hash = try #require(try await accounts.user("li").flatMap { PasswordHash($0.passwordHash) })
            #expect(hash.cost != weak)
            let token = try #require(answer.json["access_token"] as? String)
            for token in [earlier, token] {
                #expect(try await gateway.send("GET", "/api/exams", token: token).status == 200)
            }
            #expect(try await signIn(gateway, "li", "correct horse").status == 200)
            #expect(try await signIn(gateway, "li", "wrong horse").status == 401)
        }
    }

    @Test func `a success lets the user fail again, and an address has a limit of its own`() async throws {
        try await RunningGateway.run(configuration(perUser: 3, perAddress: 5)) { gateway in
            try await createLi(gateway)
            for _ in 0..<2 {
                #expect(try await signIn(gateway, "li", "wrong horse").status == 401)
                #expect(try await signIn(gateway, "li", "correct horse").status == 200)
            }
            for number in 0..<3 { #expect(try await signIn(gateway, "user\(number)", "wrong").status == 401) }
            #expect(try await signIn(gateway, "li", "correct horse").status == 429)
        }
    }

    @Test func `a flood of sign-ins is cut off before it costs more than a few at a time`() async throws {
        try await RunningGateway.run(configuration(perUser: 0, perAddress: 0)) { gateway in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { tasks in
                for number in 0..<200 {
                    tasks.addTask { try await signIn(gateway, "user\(number)", "wrong").status }
                }
                return try await tasks.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(statuses.isSubset(of: [401, 503]))
            #expect(statuses.contains(401))
        }
    }

    @Test(arguments: [
        ("10.1.2.3", "10.1.2.3"), ("::ffff:10.1.2.3", "10.1.2.3"), ("2001:db8:1:2:3:4:5:6", "20-1-d-b8-0-1-0-2"),
        ("2001:db8:1:2::9", "20-1-d-b8-0-1-0-2"), ("no address", "unknown"),
    ])
    func `addresses are counted by the network of one customer`(address: String, network: String) {
        #expect(SignInGuard.network(of: address) == network)
    }
}
