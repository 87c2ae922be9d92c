import Access
import Domain
import Synchronization
import Testing

@testable import Gateway

@Suite struct VerifiedTokensTests {
    /// Counts how often a token is verified.
    private final class Authority: Sendable {
        let count = Mutex(0)

        func verify(_ token: String) throws(TokenError) -> AccessClaims {
            count.withLock { $0 += 1 }
            guard token != "forged" else { throw TokenError(.badSignature, "it is") }
            return AccessClaims(
                user: UserID(token), role: .teacher, issuedAt: Timestamp(milliseconds: 1_000_000),
                expiresAt: Timestamp(milliseconds: 1_600_000))
        }
    }

    @Test func `a token is verified once, and again when it has expired`() async throws {
        let time = Mutex(Timestamp(milliseconds: 1_000_000))
        let (authority, tokens) = (Authority(), VerifiedTokens { time.withLock { $0 } })
        for _ in 0..<3 { #expect(try await tokens.claims(of: "a", verify: authority.verify).user == "a") }
        #expect(authority.count.withLock { $0 } == 1)
        #expect(try await tokens.claims(of: "b", verify: authority.verify).user == "b")
        time.withLock { $0 = Timestamp(milliseconds: 1_600_000) }
        _ = try await tokens.claims(of: "a", verify: authority.verify)
        #expect(authority.count.withLock { $0 } == 3)
    }

    @Test func `what is refused is not remembered, and of many those of late are`() async throws {
        let (authority, tokens) = (Authority(), VerifiedTokens(capacity: 10) { Timestamp(milliseconds: 1_000_000) })
        for _ in 0..<2 {
            await #expect(throws: TokenError.self) { try await tokens.claims(of: "forged", verify: authority.verify) }
        }
        #expect(authority.count.withLock { $0 } == 2)
        for index in 0..<11 { _ = try await tokens.claims(of: "t\(index)", verify: authority.verify) }
        _ = try await tokens.claims(of: "t5", verify: authority.verify)
        #expect(authority.count.withLock { $0 } == 13)
        for index in 20..<40 { _ = try await tokens.claims(of: "t\(index)", verify: authority.verify) }
        _ = try await tokens.claims(of: "t0", verify: authority.verify)
        #expect(authority.count.withLock { $0 } == 34)
    }
}
