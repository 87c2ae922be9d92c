package import Redis
internal import Synchronization

/// Something only one of many processes does at a time.
///
/// Whoever holds the lock has a lease by Redis' own clock and prolongs it three times per lease. When that fails for so
/// long that the lease may have run out, what it does is cancelled. A process that is stopped cannot notice this in
/// time, so effects are checked by the holder's `Fence`.
///
/// Redis that forgets its data (a restart without the append-only file) forgets who holds a lock.
package struct DistributedLock: Sendable {
    package let name: String
    private let holder: String
    private let lease: Duration
    private let client: RedisClient
    /// The longest pause between two looks of one who waits.
    private static let look: Duration = .milliseconds(200)

    private let holderKey: String
    private let fenceKey: String

    /// - Parameters:
    ///   - name: The same for all who compete.
    ///   - holder: Who this is, for people; it need not be unique.
    ///   - lease: How long the lock stays taken after its holder was killed, at least 100 ms.
    package init(
        name: String, holder: String, client: RedisClient, keys: RedisKeys, lease: Duration = .seconds(5)
    ) {
        self.name = name
        self.holder = holder
        self.lease = max(lease, .milliseconds(100))
        self.client = client
        holderKey = keys.lock(name, "holder")
        fenceKey = keys.lock(name, "fence")
    }

    /// Who holds the lock now, as given to its `init`.
    package func currentHolder() async throws -> String? {
        let name = try await client.send(["HGET", holderKey, "name"]).string
        return name.flatMap { $0.split(separator: " ", maxSplits: 1).last.map(String.init) }
    }

    /// Takes the lock, runs `body`, gives the lock back.
    ///
    /// - Parameters:
    ///   - limit: How long to wait for the lock; nil for as long as it takes.
    ///   - body: Cancelled when the lock is lost, and should then end soon.
    /// - Throws: What `body` throws; `LockError` of code `.held` or `.lost`, the latter whatever `body` made of its
    ///   cancellation; `RedisError` when the first attempt fails and there is a limit.
    package func withLock<Result: Sendable>(
        waitingUpTo limit: Duration? = nil, _ body: @escaping @Sendable (Fence) async throws -> Result
    ) async throws -> Result {
        let holding = try await acquire(waitingUpTo: limit)
        return try await withThrowingTaskGroup(of: Step<Result>.self) { group in
            group.addTask { .done(await Self.outcome { try await body(holding.fence) }) }
            group.addTask { await keep(holding) }
            group.addTask { await holding.expiry() }
            var isLost = false
            for try await step in group {
                switch step {
                case .stopped: continue
                case .lost:
                    isLost = true
                    group.cancelAll()
                case .done(let outcome):
                    group.cancelAll()
                    await release(holding)
                    if isLost { throw LockError(code: .lost, message: "the lock \(name) was lost") }
                    return try outcome.get()
                }
            }
            throw CancellationError()
        }
    }

    private enum Step<Result: Sendable>: Sendable {
        case done(Swift.Result<Result, any Error>)
        case lost
        /// Cancelled.
        case stopped
    }

    private static func outcome<Result>(
        _ body: () async throws -> Result
    ) async -> Swift.Result<Result, any Error> {
        do {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }

    // MARK: The lease

    /// A lease that was obtained.
    private final class Holding: Sendable {
        let name: String
        let fence: Fence
        /// Until when this process may believe that it holds the lock: counted from before the request, and a tenth
        /// short, since clocks do not run alike.
        private let validUntil: Mutex<ContinuousClock.Instant>

        init(name: String, fence: Fence, requested: ContinuousClock.Instant, lease: Duration) {
            self.name = name
            self.fence = fence
            validUntil = Mutex(requested + lease * 0.9)
        }

        func prolonged(requested: ContinuousClock.Instant, lease: Duration) {
            validUntil.withLock { $0 = requested + lease * 0.9 }
        }

        func expiry<Result>() async -> Step<Result> {
            while true {
                let end = validUntil.withLock { $0 }
                guard ContinuousClock.now < end else { return .lost }
                do {
                    try await Task.sleep(until: end, clock: .continuous)
                } catch {
                    return .stopped
                }
            }
        }
    }

    private func acquire(waitingUpTo limit: Duration?) async throws -> Holding {
        let giveUp = limit.map { ContinuousClock.now + $0 }
        // New at every try, so that a former holding of this very process is somebody else.
        let name = "\(UInt64.random(in: .min ... .max)) \(holder)"
        while true {
            let requested = ContinuousClock.now
            var pause = min(lease / 4, Self.look)
            do {
                let reply = try await client.evaluate(
                    LockScripts.acquire, keys: [holderKey, fenceKey], arguments: [name, lease.milliseconds])
                guard let answer = reply.array?.compactMap(\.int), answer.count == 2 else {
                    throw LockError(code: .unexpectedReply, message: "the lock \(self.name) has an unexpected state")
                }
                if answer[0] > 0 {
                    return Holding(
                        name: name, fence: Fence(lock: self.name, number: answer[0]), requested: requested,
                        lease: lease)
                }
                pause = min(pause, .milliseconds(answer[1]))
            } catch let error as RedisError {
                if giveUp != nil || Task.isCancelled { throw error }
            }
            if let giveUp, ContinuousClock.now + pause > giveUp {
                throw LockError(code: .held, message: "the lock \(self.name) is held by somebody else")
            }
            try await Task.sleep(for: pause)
        }
    }

    /// Prolongs the lease until cancelled, or until it is somebody else's.
    private func keep<Result>(_ holding: Holding) async -> Step<Result> {
        while true {
            do {
                try await Task.sleep(for: lease / 3)
            } catch {
                return .stopped
            }
            let requested = ContinuousClock.now
            // Without an answer the lease may run out: `expiry()` sees to that.
            guard
                let reply = try? await client.evaluate(
                    LockScripts.renew, keys: [holderKey], arguments: [holding.name, lease.milliseconds])
            else { continue }
            guard reply.int == 1 else { return Task.isCancelled ? .stopped : .lost }
            holding.prolonged(requested: requested, lease: lease)
        }
    }

    private func release(_ holding: Holding) async {
        // A task of its own: the cancellation that ended the work must not keep the lock from the next.
        await Task {
            _ = try? await client.evaluate(LockScripts.release, keys: [holderKey], arguments: [holding.name])
        }.value
    }
}

/// Each is one atomic step; the file of the same name says what it does.
private enum LockScripts {
    static let acquire = RedisScript(name: "lock_acquire", source: PackageResources.lock_acquire_lua)
    static let renew = RedisScript(name: "lock_renew", source: PackageResources.lock_renew_lua)
    static let release = RedisScript(name: "lock_release", source: PackageResources.lock_release_lua)
}

extension RedisKeys {
    /// `holder` or `fence` of a lock.
    func lock(_ name: String, _ part: String) -> String {
        global("{lock:\(name)}:\(part)")
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    fileprivate var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
