internal import Domain
internal import EventBus
internal import Glibc
internal import Redis

extension EventsBenchRun {
    private static let group = "bench"

    /// Publishing, reading, handling and acknowledging at once.
    func measureDelivery(_ figures: inout EventsBenchFigures) async throws {
        var rates: [BenchRate] = []
        for round in 1...options.rounds {
            try await clear()
            let rate = try await withSubscriber(TrivialHandler()) { _ in
                try await meter.timed {
                    try await publish(count: options.events)
                    try await waitUntilAcknowledged(count: options.events)
                    return options.events
                }
            }
            rates.append(rate)
            progress("round \(round) of \(options.rounds): publish, deliver and acknowledge \(rate)")
        }
        figures.setDelivery(rates)
    }

    /// Reading, handling and acknowledging what was published before; from the start of the subscriber.
    func measureBacklog(_ figures: inout EventsBenchFigures) async throws {
        var rates: [BenchRate] = []
        for round in 1...options.rounds {
            try await clear()
            try await publish(count: options.events)
            let rate = try await meter.timed {
                try await withSubscriber(TrivialHandler(), isAwaited: false) { _ in
                    try await waitUntilAcknowledged(count: options.events)
                }
                return options.events
            }
            rates.append(rate)
            progress("round \(round) of \(options.rounds): deliver and acknowledge a backlog \(rate)")
        }
        figures.setBacklog(rates, events: options.events)
    }

    /// Runs `body` beside a subscriber of this process that has all partitions, and then stops it gracelessly.
    func withSubscriber<R: Sendable>(
        _ handler: any EventHandler, isAwaited: Bool = true,
        _ body: @Sendable (EventSubscriber) async throws -> R
    ) async throws -> R {
        let subscriber = EventSubscriber(
            bus: bus, group: Self.group, replica: "bench", handlers: [handler], logger: BenchServer.silent)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await subscriber.run() }
            while isAwaited, subscriber.ownedPartitions.count < bus.configuration.partitions {
                try await Task.sleep(for: .milliseconds(5))
            }
            let result = try await body(subscriber)
            group.cancelAll()
            return result
        }
    }

    /// Waits until the group has read `count` events and none of them is pending.
    func waitUntilAcknowledged(count: Int) async throws {
        let partitions = 0..<bus.configuration.partitions
        var waited = 0
        while true {
            var read = 0
            var pending = 0
            let replies = try await client.pipeline(partitions.map { ["XINFO", "GROUPS", bus.keys.events($0)] })
            for group in replies.compactMap({ $0.array?.first?.fields }) {
                read += group.first { $0.name == "entries-read" }?.value.int ?? 0
                pending += group.first { $0.name == "pending" }?.value.int ?? 0
            }
            if read >= count, pending == 0 { return }
            waited += 1
            guard waited < 60_000 else { throw CommandFailure("\(count - read + pending) events were not handled") }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}

struct TrivialHandler: EventHandler {
    let name = "trivial"
    let eventTypes: Set<EventType> = []

    func handle(_ event: StoredEvent, context: HandlingContext) async throws {}
}
