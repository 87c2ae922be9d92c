import Synchronization

/// A flag several tasks share.
final class Flag: Sendable {
    private let state = Mutex(false)

    var value: Bool { state.withLock { $0 } }

    func raise() { state.withLock { $0 = true } }
}
