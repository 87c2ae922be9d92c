import DequeModule
import EventBus
import Synchronization

/// Between what feeds a stream of events (one producer, a clock, the end of it) and the one who writes it. Bounded: the
/// producer waits while it is full.
final class EventMailbox: Sendable {
    enum Ending: String, Sendable {
        case shutdown
        case tokenExpired = "token_expired"
        /// The user has signed out, or may not do any more what the token says.
        case tokenRevoked = "token_revoked"
        /// The exam is not shared with the user any more.
        case accessLost = "access_lost"
        /// The events cannot be read any more.
        case failed
        /// The client is gone.
        case disconnected
    }

    enum Delivery: Sendable {
        case events([StoredEvent])
        case keepAlive
        case end(Ending)
    }

    private struct State {
        var events: Deque<StoredEvent> = []
        var isReminded = false
        var ending: Ending?
        var isCancelled = false
        var reader: CheckedContinuation<Void, Never>?
        var producer: CheckedContinuation<Void, Never>?
    }

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Waits for room. One caller at a time.
    func push(_ event: StoredEvent) async {
        change { $0.events.append(event) }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let hasRoom = state.withLock { state in
                    if state.events.count < capacity || state.ending != nil || Task.isCancelled { return true }
                    state.producer = continuation
                    return false
                }
                if hasRoom { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.producer.take() }?.resume()
        }
    }

    func remind() {
        change { $0.isReminded = true }
    }

    /// The first ending counts; what has not been taken by then is dropped.
    func end(_ ending: Ending) {
        change { $0.ending = $0.ending ?? ending }
        state.withLock { $0.producer.take() }?.resume()
    }

    /// What there is to write, waiting for it. One caller at a time; cancelled, it ends as disconnected.
    func next() async -> Delivery {
        while true {
            let (delivery, producer) = state.withLock { state -> (Delivery?, CheckedContinuation<Void, Never>?) in
                if let ending = state.ending { return (.end(ending), nil) }
                if state.isCancelled { return (.end(.disconnected), nil) }
                if !state.events.isEmpty {
                    let events = Array(state.events)
                    state.events.removeAll()
                    return (.events(events), state.producer.take())
                }
                guard state.isReminded else { return (nil, nil) }
                state.isReminded = false
                return (.keepAlive, nil)
            }
            producer?.resume()
            if let delivery { return delivery }
            await change()
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let reader = state.withLock { state in
            body(&state)
            return state.reader.take()
        }
        reader?.resume()
    }

    /// Waits until something has changed.
    private func change() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isChanged = state.withLock { state in
                    if !state.events.isEmpty || state.isReminded || state.ending != nil || state.isCancelled {
                        return true
                    }
                    state.reader = continuation
                    return false
                }
                if isChanged { continuation.resume() }
            }
        } onCancel: {
            change { $0.isCancelled = true }
        }
    }
}
