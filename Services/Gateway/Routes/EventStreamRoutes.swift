import Access
import Domain
import EventBus
import HTTPTypes
import Hummingbird
import Redis

/// `GET /api/events/stream`: events as they happen, as server-sent events of CloudEvents JSON.
///
/// First comes `ready`, or `reset` when events behind `Last-Event-ID` have been removed: the client then reads
/// `GET /api/events` and goes on here, without a gap in between. The last is `end`, with the reason.
struct EventStreamRoutes: Sendable {
    let bus: EventBus
    let selection: EventSelection
    let revocations: RevocationList
    private let places: StreamPlaces
    private let slots = StreamSlots(limit: 24, limitPerUser: 6)

    init(bus: EventBus, client: RedisClient, selection: EventSelection, revocations: RevocationList) {
        self.bus = bus
        self.selection = selection
        self.revocations = revocations
        places = StreamPlaces(client: client, keys: bus.keys)
    }

    func declare(in routes: RouteTable) {
        routes.on(
            .get, "/api/events/stream", allow: .everyone,
            Operation(
                "Events as they happen.",
                detail: """
                    Server-sent events of CloudEvents. A teacher has to name an exam; a marker that names one hears of the \
                    reviews of its questions; without one markers, and students, hear of their own messages.
                    """,
                parameters: Operation.Parameter.eventFilters + [
                    .header(.lastEventID, .string, "The last event a client that comes back has seen."),
                    .query("last_event_id", .string, "The same, for clients that cannot set headers."),
                ], .content("text/event-stream", "Until the client leaves or the token expires.")),
            use: stream)
    }

    @Sendable
    private func stream(_ call: Call) async throws -> Response {
        let filter = try selection.named(call)
        let audience = try await selection.audience(filter, for: call.bearer)
        guard let slot = slots.take(call.bearer.user) else {
            throw Problem(
                .serviceUnavailable, "too-many-streams",
                """
                At most \(slots.limitPerUser) streams of events a user and \(slots.limit) in all can be open here. \
                Close one, or try again.
                """, headers: [.retryAfter: "10"])
        }
        let partitions = filter.examID.map { [bus.partition(of: $0)] } ?? Array(0..<bus.configuration.partitions)
        let ends = try await places.ends(of: partitions)
        let (start, greeting) = try await start(call.lastEventID(), partitions: partitions, ends: ends)
        let writer = EventStreamWriter(
            bus: bus, filter: filter, start: start, greeting: greeting, bearer: call.bearer, revocations: revocations,
            audience: audience,
            look: { [selection, bearer = call.bearer] last in
                do {
                    return try await selection.audience(filter, for: bearer)
                } catch {
                    // While the store is away nothing is known; the exam's next change tells.
                    return error is Problem ? nil : last
                }
            }, channel: call.context.channel)
        let headers: HTTPFields = [
            .contentType: "text/event-stream", .cacheControl: "no-store",
            // Proxies that collect an answer before they pass it on would hold every event back.
            .accelBuffering: "no",
        ]
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { body in
                try await writer.write(to: &body)
                _ = slot
            })
    }

    private func start(
        _ lastEventID: String?, partitions: [Int], ends: StreamCursor
    ) async throws -> (StreamCursor, greeting: String) {
        guard let lastEventID else { return (ends, "ready") }
        guard let cursor = StreamCursor(lastEventID), Set(cursor.positions.keys) == Set(partitions),
            try await places.isComplete(behind: cursor)
        else { return (ends, "reset") }
        return (cursor, "ready")
    }
}

extension Call {
    /// Of a client that comes back; as a query parameter for those that cannot set headers.
    fileprivate func lastEventID() throws -> String? {
        let header = request.headers[.lastEventID].flatMap { $0.isEmpty ? nil : $0 }
        return try header ?? query("last_event_id")
    }
}

extension HTTPField.Name {
    fileprivate static let lastEventID = custom("Last-Event-ID")
    fileprivate static let accelBuffering = custom("X-Accel-Buffering")
}
