import Domain
import Redis
import Testing

@testable import Accounts

@Suite struct SessionTests {
    private func open(
        _ fixture: AccountsFixture, session: String = "s1", secret: String = "first", user: UserID = "li",
        hash: String? = nil, lifetime: Duration = .seconds(600)
    ) async throws -> SessionGrant? {
        let known = User(id: user, role: .teacher, passwordHash: hash ?? "hash of \(user)", createdAt: .now)
        return try await fixture.accounts.open(
            SessionKey(user: user, session: session, secretHash: secret), for: known, tokenLifetime: .seconds(60),
            lifetime: lifetime)
    }

    private func refresh(
        _ fixture: AccountsFixture, session: String = "s1", _ secret: String, to next: String,
        grace: Duration = .zero
    ) async throws -> Accounts.Refresh {
        try await fixture.accounts.refresh(
            SessionKey(user: "li", session: session, secretHash: secret), nextHash: next, tokenLifetime: .seconds(60),
            grace: grace)
    }

    @Test func `a session's secret is exchanged for the next one as long as the session lives`() async throws {
        let fixture = try AccountsFixture()
        try await fixture.create("li")
        let first = try #require(try await open(fixture))
        var secret = "first"
        for next in ["second", "third", "fourth"] {
            guard case .granted(let grant) = try await refresh(fixture, secret, to: next) else {
                Issue.record("not granted")
                return
            }
            #expect(grant.user.role == .teacher)
            #expect(grant.issuedAt >= first.issuedAt)
            #expect(grant.endsAt == first.endsAt)
            secret = next
        }
        #expect(try await fixture.accounts.revocations().isEmpty)
    }

    @Test func `a secret that comes a second time voids the session and its access tokens`() async throws {
        let fixture = try AccountsFixture()
        try await fixture.create("li")
        let first = try #require(try await open(fixture))
        _ = try await refresh(fixture, "first", to: "second")
        guard case .reused(let revocation) = try await refresh(fixture, "first", to: "stolen") else {
            Issue.record("not noticed")
            return
        }
        guard case .identifier("s1", user: "li", let until) = revocation else {
            Issue.record("\(revocation)")
            return
        }
        #expect(until.milliseconds >= first.issuedAt.milliseconds + 60_000)
        #expect(try await fixture.accounts.revocations() == [revocation])
        for secret in ["first", "second", "stolen"] {
            guard case .none = try await refresh(fixture, secret, to: "x") else {
                Issue.record("\(secret) is good")
                return
            }
        }
    }

    @Test func `of many that show the same secret at once, one is granted and the session is void`() async throws {
        let fixture = try AccountsFixture()
        try await fixture.create("li")
        _ = try await open(fixture)
        let granted = try await withThrowingTaskGroup(of: Bool.self) { tasks in
            for number in 0..<10 {
                tasks.addTask {
                    if case .granted = try await refresh(fixture, "first", to: "next\(number)") { true } else { false }
                }
            }
            return try await tasks.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(granted == 1)
        #expect(try await fixture.accounts.revocations().count == 1)
    }

    /// What each of a sequence of `secret → next` comes to: granted, reused or none.
    private func outcomes(
        _ fixture: AccountsFixture, _ exchanges: [(String, String)], grace: Duration
    ) async throws -> [String] {
        var outcomes: [String] = []
        for (secret, next) in exchanges {
            switch try await refresh(fixture, secret, to: next, grace: grace) {
            case .granted: outcomes.append("granted")
            case .reused: outcomes.append("reused")
            case .none: outcomes.append("none")
            }
        }
        return outcomes
    }

    @Test func `right after its exchange a secret is good again, and so is each that it was exchanged for`()
        async throws
    {
        let fixture = try AccountsFixture()
        try await fixture.create("li")
        // Two windows; one of them goes on with what the other got. What is two exchanges old is good no more.
        for (last, outcome) in [("b1", "granted"), ("b2", "granted"), ("a", "reused"), ("made up", "reused")] {
            _ = try await open(fixture, secret: "a")
            let exchanges = [("a", "b1"), ("a", "b2"), ("b1", "c"), (last, "d")]
            #expect(
                try await outcomes(fixture, exchanges, grace: .seconds(60)) == [
                    "granted", "granted", "granted", outcome,
                ])
        }
    }

    @Test func `a browser with many windows keeps its session, and no more secrets than that are good`() async throws {
        let fixture = try AccountsFixture()
        try await fixture.create("li")
        _ = try await open(fixture, secret: "a")
        let exchanges = (0...Accounts.maxSecrets).map { ("a", "b\($0)") }
        let outcomes = try await outcomes(fixture, exchanges, grace: .seconds(60))
        #expect(outcomes == Array(repeating: "granted", count: Accounts.maxSecrets) + ["reused"])
    }

    @Test func `no session is opened with a password that has been changed meanwhile, or for whom there is not`()
        async throws
    {
        let fixture = try AccountsFixture()
        try await fixture.create("li")
        #expect(try await open(fixture, hash: "the former hash") == nil)
        #expect(try await open(fixture, user: "nobody") == nil)
        _ = try await fixture.change("li") { $0.disabledAt = .now }
        #expect(try await open(fixture) == nil)
    }

    @Test(arguments: ["disabled", "removed", "revoked", "other password"])
    func `nothing is granted in sessions of before`(what: String) async throws {
        let fixture = try AccountsFixture()
        try await fixture.create("li")
        _ = try await open(fixture)
        switch what {
        case "disabled": _ = try await fixture.change("li") { $0.disabledAt = .now }
        case "removed": _ = try await fixture.accounts.remove("li", by: AccountsFixture.author)
        case "revoked": _ = try await fixture.accounts.revokeAll(of: "li", by: AccountsFixture.author)
        default: _ = try await fixture.change("li") { $0.passwordHash = "another" }
        }
        guard case .none = try await refresh(fixture, "first", to: "second") else {
            Issue.record("granted")
            return
        }
    }

    @Test func `what is granted right behind a revocation is not void`() async throws {
        let fixture = try AccountsFixture()
        try await fixture.create("li")
        for number in 0..<20 {
            guard case .user(_, let before) = try await fixture.accounts.revokeAll(of: "li", by: AccountsFixture.author)
            else { return }
            let grant = try #require(try await open(fixture, session: "s\(number)"))
            #expect(grant.issuedAt > before)
        }
    }

    @Test func `a user has a bounded number of sessions, the oldest go`() async throws {
        let fixture = try AccountsFixture()
        try await fixture.create("li")
        for number in 0..<(Accounts.maxSessions + 5) { _ = try await open(fixture, session: "s\(number)") }
        let key = fixture.accounts.keys.sessions(of: "li")
        #expect(try await fixture.client.send(["HLEN", key]).int == Accounts.maxSessions)
        #expect(try await fixture.client.send(["HEXISTS", key, "s104"]).int == 1)
        let time = try #require(try await fixture.client.send(["PTTL", key]).int)
        #expect(time > 0 && time <= 600_000)
    }

    @Test func `a session that is over is none`() async throws {
        let fixture = try AccountsFixture()
        try await fixture.create("li")
        _ = try await open(fixture, session: "old", lifetime: .milliseconds(1))
        _ = try await open(fixture, session: "new")
        while try await fixture.client.send(["HEXISTS", fixture.accounts.keys.sessions(of: "li"), "old"]).int == 1 {
            // The next opening clears it away, as soon as its millisecond is over.
            _ = try await open(fixture, session: "new")
        }
        guard case .none = try await refresh(fixture, session: "old", "first", to: "second") else {
            Issue.record("granted")
            return
        }
    }

    @Test func `signing out voids the session until its last token has ended`() async throws {
        let fixture = try AccountsFixture()
        try await fixture.create("li")
        let grant = try #require(try await open(fixture))
        let revocation = try await fixture.accounts.close("s1", of: "li", until: nil)
        let end = Timestamp(milliseconds: grant.issuedAt.milliseconds + 60_000)
        #expect(revocation == .identifier("s1", user: "li", until: end))
        #expect(try await fixture.accounts.close("s1", of: "li", until: nil) == nil)
        #expect(try await fixture.accounts.close("unknown", of: "li", until: nil) == nil)
        let token = Timestamp(milliseconds: grant.issuedAt.milliseconds + 90_000)
        #expect(
            try await fixture.accounts.close("token", of: "li", until: token)
                == .identifier("token", user: "li", until: token))
        #expect(try await fixture.accounts.revocations().count == 2)
    }
}
