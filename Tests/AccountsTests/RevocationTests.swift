import Domain
import Logging
import Redis
import Synchronization
import TestSupport
import Testing

@testable import Accounts

@Suite(.timeLimit(.minutes(2))) struct RevocationTests {
    private final class Seen: Sendable {
        private let list = Mutex<[Revocation]>([])
        private let (arrivals, arrival) = AsyncStream<Void>.makeStream()

        func add(_ revocation: Revocation) {
            list.withLock { $0.append(revocation) }
            arrival.yield()
        }

        var all: [Revocation] { list.withLock { $0 } }

        /// Waits until `revocation` has come.
        func wait(for revocation: Revocation) async {
            var arrivals = arrivals.makeAsyncIterator()
            while !all.contains(revocation) { await arrivals.next() }
        }
    }

    @Test func `who follows gets what is revoked already and what comes`() async throws {
        let fixture = try AccountsFixture()
        try await fixture.create("li")
        let first = try await fixture.accounts.revokeAll(of: "li", by: AccountsFixture.author)
        let seen = Seen()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await fixture.accounts.follow(seen.add) }
            await seen.wait(for: first)
            let second = try await fixture.accounts.revokeAll(of: "outsider", by: AccountsFixture.author)
            await seen.wait(for: second)
            let end = Timestamp(milliseconds: try await fixture.now().milliseconds + 60_000)
            let third = try #require(try await fixture.accounts.close("token", of: "li", until: end))
            await seen.wait(for: third)
            tasks.cancelAll()
        }
        #expect(seen.all.count == 3)
    }

    @Test func `who follows again after Redis was away has missed nothing`() async throws {
        let server = try RedisServer()
        let client = try RedisClient(
            configuration: RedisConfiguration(url: server.url), logger: .init(label: "test"))
        let accounts = Accounts(client: client, keys: RedisKeys())
        let seen = Seen()
        let first = try await accounts.revokeAll(of: "li", by: AccountsFixture.author)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                while !Task.isCancelled {
                    try? await accounts.follow(seen.add)
                    await Task.yield()
                }
            }
            await seen.wait(for: first)
            try server.restart()
            let second = try await accounts.revokeAll(of: "wang", by: AccountsFixture.author)
            await seen.wait(for: second)
            tasks.cancelAll()
        }
        server.stop()
    }

    @Test func `what has ended is not kept`() async throws {
        let fixture = try AccountsFixture()
        let past = Timestamp(milliseconds: try await fixture.now().milliseconds - 1)
        _ = try await fixture.accounts.close("token", of: "li", until: past)
        #expect(try await fixture.accounts.revocations().isEmpty)
        let keys = fixture.accounts.keys
        _ = try await fixture.client.send(["ZADD", keys.revokedIDs, past.milliseconds, "old li"])
        let longAgo = past.milliseconds - Int64(Accounts.longestLifetime) * 1000
        _ = try await fixture.client.send(["ZADD", keys.revoked, longAgo, "li"])
        #expect(try await fixture.accounts.revocations().isEmpty)
        #expect(try await fixture.client.send(["EXISTS", keys.revokedIDs, keys.revoked]).int == 0)
    }
}
