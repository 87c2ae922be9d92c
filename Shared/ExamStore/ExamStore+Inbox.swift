package import Domain
package import EventBus
internal import Redis

extension ExamStore {
    /// Messages a user's inbox keeps in one partition; older ones are dropped.
    static let inboxCapacity = 500

    /// Puts a message about an exam into a user's inbox and reports it, effectively once.
    package func deliver(
        _ message: InboxMessage, to user: UserID, about exam: ExamID, guardedBy guarding: EffectGuard,
        context: EventContext
    ) async throws {
        let place = place(of: exam)
        let inbox = keys.record(place.partition, "user:\(user):inbox")
        let order = keys.record(place.partition, "user:\(user):inbox:order")
        var transaction = RecordTransaction()
        transaction.set(inbox, [message.id: try JSON.encode(message)])
        transaction.rank(message.id, score: message.time.milliseconds, in: order)
        transaction.cap(order, companion: inbox, count: Self.inboxCapacity)
        let event = NotificationCreated(user: user, message: message)
        transaction.publish(try EventEnvelope(event, examID: exam, context: context), on: place.events)
        try await commit(transaction, guardedBy: guarding)
    }

    /// A user's messages, the newest first.
    ///
    /// - Parameter limit: 1 to 200.
    /// - Throws: `ExamStoreError` with `.invalidCursor`.
    package func inbox(user: UserID, cursor: String?, limit: Int) async throws -> Page<InboxMessage> {
        let limit = min(max(limit, 1), 200)
        let replies = try await client.pipeline(
            (0..<partitions).map { ["HVALS", keys.record($0, "user:\(user):inbox")] })
        let all = try replies.flatMap { try ($0.array ?? []).map { try decode(InboxMessage.self, $0, of: "message") } }
            .sorted { ($0.time, $0.id) > ($1.time, $1.id) }
        let bound = try cursor.map { try TimeCursor($0) }
        let rest = bound.map { bound in all.drop { TimeCursor($0) >= bound } } ?? all[...]
        let part = Array(rest.prefix(limit))
        return Page(items: part, nextCursor: part.count < rest.count ? part.last.map { TimeCursor($0).text } : nil)
    }
}

extension TimeCursor {
    fileprivate init(_ message: InboxMessage) {
        self.init(time: message.time.milliseconds, id: message.id)
    }
}
