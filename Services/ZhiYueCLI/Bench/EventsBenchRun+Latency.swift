internal import Domain
internal import EventBus
internal import Redis
internal import Synchronization

extension EventsBenchRun {
    /// From the instant an event was due to be published to its handler, at fixed rates that do not wait for anything.
    func measureLatency(_ figures: inout EventsBenchFigures) async throws {
        for rate in [10_000, 1000] {
            try await clear()
            let recorder = LatencyRecorder()
            let count = Int(Double(rate) * options.seconds)
            try await withSubscriber(recorder) { _ in
                // Connections and caches get warm.
                try await offer(count: 200, rate: 1000)
                try await waitUntilAcknowledged(count: 200)
                recorder.reset()
                try await offer(count: count, rate: rate)
                try await waitUntilAcknowledged(count: count + 200)
            }
            let latency = EventsBenchFigures.Latency(offered: rate, milliseconds: recorder.milliseconds())
            progress("\(rate) events a second: \(latency)")
            figures.add(latency)
        }
    }

    private func offer(count: Int, rate: Int) async throws {
        let interval = 1_000_000_000 / UInt64(rate)
        let start = EventsBenchEvents.now() + 1_000_000
        let clock = ContinuousClock()
        let origin = clock.now + .milliseconds(1)
        try await withThrowingTaskGroup(of: Void.self) { group in
            var index = 0
            while index < count {
                let now = EventsBenchEvents.now()
                while index < count, start + UInt64(index) * interval <= now {
                    let number = index
                    group.addTask(executorPreference: client.taskExecutor) {
                        try await bus.publish(events.make(number, due: start + UInt64(number) * interval))
                    }
                    index += 1
                }
                // Whoever publishes every 0.1 ms does not get a timer that fine; each event still counts from when it
                // was due.
                let next = max(start + UInt64(index) * interval, now + 500_000)
                try await clock.sleep(until: origin + .nanoseconds(Int64(next - start)), tolerance: .zero)
            }
            try await group.waitForAll()
        }
    }
}

private final class LatencyRecorder: EventHandler {
    let name = "recorder"
    let eventTypes: Set<EventType> = []
    private let nanoseconds = Mutex<[UInt64]>([])

    func handle(_ event: StoredEvent, context: HandlingContext) async throws {
        let taken = EventsBenchEvents.now() - EventsBenchEvents.due(event.event)
        nanoseconds.withLock { $0.append(taken) }
    }

    func reset() {
        nanoseconds.withLock { $0.removeAll() }
    }

    /// Sorted.
    func milliseconds() -> [Double] {
        nanoseconds.withLock { $0.sorted().map { Double($0) / 1e6 } }
    }
}
