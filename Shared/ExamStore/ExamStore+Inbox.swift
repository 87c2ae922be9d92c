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
        let transaction = try delivery(
            of: message, to: user, exam: exam, partition: place.partition, context: context)
        try await commit(transaction, guardedBy: guarding)
    }

    /// Puts a message about no exam into a user's inbox and reports it; to no effect when a message of that identifier is
    /// there.
    package func deliver(_ message: InboxMessage, to user: UserID, context: EventContext) async throws {
        // Where the event is, which no exam tells the partition of.
        let partition = PartitionHash.partition(of: NotificationCreated.type.rawValue, count: partitions)
        var transaction = try delivery(of: message, to: user, exam: nil, partition: partition, context: context)
        transaction.require(keys.record(partition, "user:\(user):inbox"), field: message.id, equals: nil)
        _ = try await commit(transaction)
    }

    private func delivery(
        of message: InboxMessage, to user: UserID, exam: ExamID?, partition: Int, context: EventContext
    ) throws -> RecordTransaction {
        let inbox = keys.record(partition, "user:\(user):inbox")
        let order = keys.record(partition, "user:\(user):inbox:order")
        var transaction = RecordTransaction()
        transaction.set(inbox, [message.id: try JSON.encode(message)])
        transaction.rank(message.id, score: message.time.milliseconds, in: order)
        transaction.cap(order, companion: inbox, count: Self.inboxCapacity)
        let event = NotificationCreated(user: user, message: message)
        transaction.publish(try EventEnvelope(event, examID: exam, context: context), on: keys.events(partition))
        return transaction
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
