import Access
import Accounts
import Domain
import Synchronization
import Testing

@testable import Gateway

@Suite struct RevocationListTests {
    private func claims(_ user: UserID = "li", at time: Int64, id: String? = nil, session: String? = nil)
        -> AccessClaims
    {
        AccessClaims(
            user: user, role: .teacher, issuedAt: Timestamp(milliseconds: time),
            expiresAt: Timestamp(milliseconds: time + 60_000), id: id, session: session)
    }

    @Test func `what a user was granted up to the revocation is void, what came later is not`() {
        let list = RevocationList()
        #expect(!list.isRevoked(claims(at: 1000)))
        list.apply(.user("li", before: Timestamp(milliseconds: 1000)))
        #expect(list.isRevoked(claims(at: 1000)))
        #expect(!list.isRevoked(claims(at: 1001)))
        #expect(!list.isRevoked(claims("wang", at: 1000)))
        // An older one that comes late changes nothing.
        list.apply(.user("li", before: Timestamp(milliseconds: 500)))
        #expect(list.isRevoked(claims(at: 1000)))
    }

    @Test func `sessions and single tokens are void by their identifiers`() {
        let list = RevocationList()
        list.apply(.identifier("s1", user: "li", until: .now))
        list.apply(.identifier("t1", user: "li", until: .now))
        #expect(list.isRevoked(claims(at: 1, id: "t2", session: "s1")))
        #expect(list.isRevoked(claims(at: 1, id: "t1")))
        #expect(!list.isRevoked(claims(at: 1, id: "t2", session: "s2")))
        #expect(!list.isRevoked(claims(at: 1)))
    }

    @Test func `observers hear of each revocation once, until they stop`() {
        let list = RevocationList()
        let heard = Mutex<[String]>([])
        let observation = list.onRevoke { user, session in
            heard.withLock { $0.append("\(user) \(session ?? "all")") }
        }
        for _ in 0..<2 {
            list.apply(.user("li", before: Timestamp(milliseconds: 1000)))
            list.apply(.identifier("s1", user: "wang", until: .now))
        }
        list.apply(.user("li", before: Timestamp(milliseconds: 2000)))
        #expect(heard.withLock { $0 } == ["li all", "wang s1", "li all"])
        observation.cancel()
        list.apply(.user("li", before: Timestamp(milliseconds: 3000)))
        #expect(heard.withLock { $0 }.count == 3)
    }

    @Test func `what has ended is forgotten, so the list does not grow`() {
        let now = Timestamp.now.milliseconds
        let list = RevocationList(now: { Timestamp(milliseconds: now) })
        list.apply(.user("li", before: Timestamp(milliseconds: now)))
        for number in 0..<100_000 {
            list.apply(.identifier("s\(number)", user: "li", until: Timestamp(milliseconds: now - 61_000)))
        }
        #expect(list.count <= 2048)
        #expect(list.isRevoked(claims(at: now)))
    }
}
