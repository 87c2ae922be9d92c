import Domain
import Synchronization

/// How many streams of events there may be, in all and for each user: every one holds a connection to Redis.
final class StreamSlots: Sendable {
    private struct State {
        var total = 0
        var users: [UserID: Int] = [:]
    }

    let limit: Int
    let limitPerUser: Int
    private let state = Mutex(State())

    init(limit: Int, limitPerUser: Int) {
        self.limit = limit
        self.limitPerUser = limitPerUser
    }

    /// - Returns: what holds the place while it exists; nil when there is none left.
    func take(_ user: UserID) -> Slot? {
        state.withLock { state in
            guard state.total < limit, state.users[user, default: 0] < limitPerUser else { return nil }
            state.total += 1
            state.users[user, default: 0] += 1
            return Slot(slots: self, user: user)
        }
    }

    private func giveBack(_ user: UserID) {
        state.withLock { state in
            state.total -= 1
            state.users[user, default: 1] -= 1
            if state.users[user] == 0 { state.users[user] = nil }
        }
    }

    final class Slot: Sendable {
        private let slots: StreamSlots
        private let user: UserID

        fileprivate init(slots: StreamSlots, user: UserID) {
            self.slots = slots
            self.user = user
        }

        deinit {
            slots.giveBack(user)
        }
    }
}
