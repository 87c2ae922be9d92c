import Access
import Accounts
import Domain
import Synchronization

/// What was taken back before its time: in memory, since every request asks. `RevocationFeed` keeps it up to date.
///
/// While Redis is away, nothing is added: what was valid stays so. Bounded by what is revoked and not yet past: a user
/// is one entry, whatever it was granted; a session or token is forgotten when its last token has ended.
final class RevocationList: Sendable {
    /// Called with the user and, unless everything of the user was revoked, the session or token. Must not block.
    typealias Observer = @Sendable (UserID, String?) -> Void

    fileprivate struct State {
        var users: [UserID: Timestamp] = [:]
        /// To the time from which they need not be known.
        var identifiers: [String: Timestamp] = [:]
        var observers: [UInt64: Observer] = [:]
        var nextObserver: UInt64 = 0
        /// Size at which what is past is looked for.
        var pruneAt = 1024
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> Timestamp

    /// - Parameter now: the clock, for tests.
    init(now: @escaping @Sendable () -> Timestamp = { .now }) {
        self.now = now
    }

    func isRevoked(_ claims: AccessClaims) -> Bool {
        state.withLock { state in
            if let before = state.users[claims.user], claims.issuedAt <= before { return true }
            if let session = claims.session, state.identifiers[session] != nil { return true }
            return claims.id.map { state.identifiers[$0] != nil } ?? false
        }
    }

    /// Has `body` called at every revocation that was not known, as long as what is returned exists.
    ///
    /// Who opens something for a bearer observes first and then asks `isRevoked` once more: none is missed in between.
    func onRevoke(_ body: @escaping Observer) -> RevocationObservation {
        let number = state.withLock { state in
            state.nextObserver += 1
            state.observers[state.nextObserver] = body
            return state.nextObserver
        }
        return RevocationObservation { [weak self] in
            self?.state.withLock { state in
                _ = state.observers.removeValue(forKey: number)
            }
        }
    }

    /// Calls the observers unless it was known.
    func apply(_ revocation: Revocation) {
        let now = now()
        let observers: [Observer] = state.withLock { state in
            guard state.add(revocation) else { return [] }
            state.prune(at: now)
            return Array(state.observers.values)
        }
        let identifier: String? =
            if case .identifier(let id, _, _) = revocation { id } else { nil }
        for observer in observers { observer(revocation.user, identifier) }
    }

    /// Entries held, for tests.
    var count: Int { state.withLock { $0.users.count + $0.identifiers.count } }
}

extension RevocationList.State {
    /// - Returns: false when it was known.
    fileprivate mutating func add(_ revocation: Revocation) -> Bool {
        switch revocation {
        case .user(let user, let before):
            guard before > users[user] ?? Timestamp(milliseconds: -1) else { return false }
            users[user] = before
        case .identifier(let id, _, let until):
            defer { identifiers[id] = max(until, identifiers[id] ?? until) }
            return identifiers[id] == nil
        }
        return true
    }

    fileprivate mutating func prune(at now: Timestamp) {
        guard users.count + identifiers.count >= pruneAt else { return }
        // A minute more, for clocks that differ.
        let past = now.milliseconds - 60_000
        identifiers = identifiers.filter { $0.value.milliseconds > past }
        users = users.filter { $0.value.milliseconds > past - Int64(Accounts.longestLifetime) * 1000 }
        pruneAt = max(1024, (users.count + identifiers.count) * 2)
    }
}

/// Observes until it is cancelled or released.
final class RevocationObservation: Sendable {
    private let end: @Sendable () -> Void

    init(_ end: @escaping @Sendable () -> Void) {
        self.end = end
    }

    func cancel() {
        end()
    }

    deinit {
        end()
    }
}
