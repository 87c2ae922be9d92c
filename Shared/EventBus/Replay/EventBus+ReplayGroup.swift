import Domain
package import Logging
import Redis

/// Replays into a consumer group of their own.
extension EventBus {
    /// A replica that handles a replay requested with `.temporaryGroup`: run it as any subscriber, in as many replicas
    /// as wanted. It goes on until it is stopped; `replay(_:)` tells when everything is handled, and `cancelReplay(_:)`
    /// removes the group. Retries and dead letters are as in any group.
    ///
    /// - Throws: `EventBusError` of code `.invalidArgument` when there is no such replay or it has ended.
    package func subscriber(
        replaying id: ReplayID, replica: String, handlers: [any EventHandler], logger: Logger
    ) async throws -> EventSubscriber {
        guard let status = try await replay(id), status.request.target == .temporaryGroup, !status.isFinished else {
            throw EventBusError(.invalidArgument, "There is no open replay \(id) into a group")
        }
        let range = ReplayRange(status.request, now: status.requestedAt)
        return EventSubscriber(
            bus: self, group: id.group, replica: replica,
            handlers: handlers.map { RangeHandler(handler: $0, range: range) }, logger: logger)
    }

    func createGroup(of status: ReplayStatus) async throws {
        let range = ReplayRange(status.request, now: status.requestedAt)
        let before = range.start == .zero ? StreamPosition.zero : range.start.predecessor
        let replies = try await client.pipeline(
            (0..<configuration.partitions).map { partition in
                ["XGROUP", "CREATE", keys.events(partition), status.group, before.description, "MKSTREAM"]
            })
        if let error = replies.compactMap(\.error).first { throw RedisError(refused: error) }
    }

    /// What a temporary group has done is known from the group alone.
    func withGroupProgress(_ status: ReplayStatus) async throws -> ReplayStatus {
        guard status.request.target == .temporaryGroup, !status.isFinished else { return status }
        let range = ReplayRange(status.request, now: status.requestedAt)
        var left = 0
        var isBegun = false
        for partition in 0..<configuration.partitions {
            let groups = try await client.send(["XINFO", "GROUPS", keys.events(partition)]).array ?? []
            let group = groups.compactMap(\.fields).first { fields in
                fields.contains { $0.name == "name" && $0.value.string == status.group }
            }
            guard
                let delivered = group?.first(where: { $0.name == "last-delivered-id" })?.value.string
                    .flatMap({ StreamPosition($0) })
            else { continue }
            isBegun = isBegun || delivered >= range.start
            left += try await pending(partition, status.group, range)
            var next: StreamPosition? = max(range.start, delivered.successor)
            while let start = next,
                let page = try await range.page(of: self, partition: partition, from: start, count: 1000)
            {
                left += page.events.count
                next = page.next
            }
        }
        var status = status
        status.handled = max(0, status.total - left)
        status.state = left == 0 ? .completed : isBegun ? .running : .waiting
        return status
    }

    /// Entries of the range a group has been given and not acknowledged.
    private func pending(_ partition: Int, _ group: String, _ range: ReplayRange) async throws -> Int {
        let reply = try await client.send(
            [
                "XPENDING", keys.events(partition), group, range.start.description, range.end.description, 10_000,
            ])
        return reply.array?.count ?? 0
    }
}

/// Passes on what is in the range.
private struct RangeHandler: EventHandler {
    let handler: any EventHandler
    let range: ReplayRange

    var name: String { handler.name }
    var eventTypes: Set<EventType> { handler.eventTypes }

    func handle(_ event: StoredEvent, context: HandlingContext) async throws {
        // Dead letters of the replay that were brought back are beyond its end.
        guard event.onlyGroup == context.group || range.contains(event) else { return }
        try await handler.handle(event, context: context)
    }
}
