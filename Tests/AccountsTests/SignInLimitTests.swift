import Redis
import Testing

@testable import Accounts

@Suite struct SignInLimitTests {
    private func limits(user: Int = 3, address: Int = 0, window: Duration = .seconds(900)) -> SignInLimits {
        var limits = SignInLimits()
        limits.failuresPerUser = user
        limits.failuresPerAddress = address
        limits.window = window
        return limits
    }

    private let attempt = SignInAttempt(nameDigest: "li", network: "10.0.0.1")

    @Test func `so many tries fail and no more are made, for the rest of the window`() async throws {
        let accounts = try AccountsFixture().accounts
        for _ in 0..<3 { #expect(try await accounts.begin(attempt, limits: limits()) == nil) }
        let wait = try #require(try await accounts.begin(attempt, limits: limits()))
        #expect(wait > .seconds(800) && wait <= .seconds(900))
        let elsewhere = SignInAttempt(nameDigest: "li", network: "10.0.0.2")
        #expect(try await accounts.begin(elsewhere, limits: limits()) != nil)
        let other = SignInAttempt(nameDigest: "wang", network: "10.0.0.1")
        #expect(try await accounts.begin(other, limits: limits()) == nil)
    }

    @Test func `a success forgets the name's failures but not those of the address`() async throws {
        let accounts = try AccountsFixture().accounts
        let limits = limits(user: 3, address: 3)
        _ = try await accounts.begin(attempt, limits: limits)
        _ = try await accounts.begin(attempt, limits: limits)
        _ = try await accounts.begin(attempt, limits: limits)
        try await accounts.succeed(attempt)
        #expect(try await accounts.begin(attempt, limits: limits) == nil)
        #expect(try await accounts.begin(attempt, limits: limits) != nil)
    }

    @Test func `a try that was not made does not count`() async throws {
        let accounts = try AccountsFixture().accounts
        for _ in 0..<10 {
            #expect(try await accounts.begin(attempt, limits: limits()) == nil)
            try await accounts.undo(attempt)
        }
        try await accounts.undo(attempt)
        for _ in 0..<3 { #expect(try await accounts.begin(attempt, limits: limits()) == nil) }
        #expect(try await accounts.begin(attempt, limits: limits()) != nil)
    }

    @Test func `many at once are no way around the limit`() async throws {
        let accounts = try AccountsFixture().accounts
        let admitted = try await withThrowingTaskGroup(of: Bool.self) { tasks in
            for _ in 0..<50 {
                tasks.addTask { try await accounts.begin(attempt, limits: limits()) == nil }
            }
            return try await tasks.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(admitted == 3)
    }

    @Test func `failures are forgotten when the window is over, and without a limit nothing is kept`() async throws {
        let fixture = try AccountsFixture()
        for _ in 0..<3 { _ = try await fixture.accounts.begin(attempt, limits: limits()) }
        // As if the window had passed.
        let key = fixture.accounts.keys.failures("name", "li")
        #expect(try #require(try await fixture.client.send(["PTTL", key]).int) > 0)
        _ = try await fixture.client.send(["PEXPIRE", key, 0])
        #expect(try await fixture.accounts.begin(attempt, limits: limits()) == nil)
        #expect(
            try await fixture.client.send(["EXISTS", fixture.accounts.keys.failures("address", "10.0.0.1")]).int == 0)
    }
}
