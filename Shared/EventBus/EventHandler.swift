package import Domain

/// What a group does about events.
///
/// Delivery is at least once: `handle` may see an event again after a failure, a crash or a change of owner. Its effect
/// is made once by `HandlingContext.effectGuard`, or because it is idempotent by itself (a task whose id follows from
/// the event).
package protocol EventHandler: Sendable {
    /// Unique within its group and the same in every release: positions of effects are kept under it.
    var name: String { get }
    /// Empty means all.
    var eventTypes: Set<EventType> { get }

    /// Called for the events of an exam one after the other in their order, for different exams concurrently.
    ///
    /// - Throws: `EventRejection` when trying again is pointless; anything else is tried again and then becomes a dead
    ///   letter. `EventBusError` of code `.staleOwner` and cancellation leave the event to the next owner.
    func handle(_ event: StoredEvent, context: HandlingContext) async throws
}

extension EventHandler {
    package var name: String { String(describing: Self.self) }
}

/// Under what conditions a handler sees an event.
package struct HandlingContext: Sendable {
    package let group: String
    package let replica: String
    package let partition: Int
    package let position: StreamPosition
    /// 1 at the first try by this replica.
    package let attempt: Int
    /// The fencing token of the partition's owner.
    package let fence: String
    private let guarding: Guarding

    private enum Guarding: Sendable {
        case made(EffectGuard)
        /// Not every handler asks for its guard, and its keys cost as much as the rest of a delivery.
        case asked(EventBus, EventEnvelope, handler: String)
    }

    /// Keys and arguments of the script that makes the handler's effect.
    package var effectGuard: EffectGuard {
        switch guarding {
        case .made(let effectGuard): effectGuard
        case .asked(let bus, let event, let handler):
            bus.effectGuard(
                for: StoredEvent(position: position, partition: partition, event: event), group: group,
                handler: handler, fence: fence)
        }
    }

    init(
        group: String, replica: String, partition: Int, position: StreamPosition, attempt: Int, fence: String,
        effectGuard: EffectGuard
    ) {
        self.group = group
        self.replica = replica
        self.partition = partition
        self.position = position
        self.attempt = attempt
        self.fence = fence
        guarding = .made(effectGuard)
    }

    /// With the guard of `handler` for `event` in `bus`.
    init(
        group: String, replica: String, partition: Int, position: StreamPosition, attempt: Int, fence: String,
        bus: EventBus, event: StoredEvent, handler: String
    ) {
        self.group = group
        self.replica = replica
        self.partition = partition
        self.position = position
        self.attempt = attempt
        self.fence = fence
        guarding = .asked(bus, event.event, handler: handler)
    }
}

/// Thrown by a handler to send the event to the dead letters at once.
package struct EventRejection: Error, Sendable, CustomStringConvertible {
    package let reason: String

    package init(_ reason: String) {
        self.reason = reason
    }

    package var description: String { reason }
}
