import Domain
import EventBus

/// One of a connection's subscriptions. Used on the connection's event loop.
final class Subscription {
    /// The client's name for it.
    let id: String
    let kind: Int
    private(set) var filter: SubscriptionFilter
    /// Where the events it follows are.
    let partitions: [Int]
    /// Whether all are in one partition, so that its cursor names that alone.
    let followsOnePartition: Bool
    unowned let connection: RealtimeConnection
    var progress = SubscriptionProgress()
    /// Where the index has it.
    var places: [(audience: SubscriptionIndex.Audience, index: Int)] = []
    /// `event` messages since `subscribed`.
    var sent: UInt64 = 0
    /// Messages that wait in the ring because the client is slow.
    var waiting = 0
    /// Exams of which it is being looked up whether the user may still see them: nothing is sent meanwhile.
    var underReview: Set<ExamID> = []
    /// Whether a page of history is being read; how many entries of it have been looked at.
    var isReading = false
    var isReviewing = false
    /// Nothing more is sent.
    var hasEnded = false
    var scanned = 0

    init(
        _ request: ClientMessage.Subscribe, scope: SubscriptionScope, user: UserID, connection: RealtimeConnection,
        partitionCount: Int,
        partition: (ExamID) -> Int
    ) {
        id = request.id
        kind = request.kind
        filter = SubscriptionFilter(
            kind: request.kind, exams: request.exams.map { Set($0) }, eventTypes: scope.eventTypes, user: user,
            questions: scope.questions)
        self.connection = connection
        partitions = Self.partitions(of: request, count: partitionCount, partition)
        followsOnePartition = partitions.count == 1
    }

    /// The one that all its exams are in, or all.
    static func partitions(
        of request: ClientMessage.Subscribe, count: Int, _ partition: (ExamID) -> Int
    ) -> [Int] {
        let named = Set((request.exams ?? []).map(partition))
        return named.count == 1 ? Array(named) : Array(0..<count)
    }

    func moved(in audience: SubscriptionIndex.Audience, to index: Int) {
        for place in places.indices where places[place].audience === audience { places[place].index = index }
    }

    func withdraw(_ exam: ExamID) {
        filter.exams?.remove(exam)
        filter.questions?[exam] = nil
        underReview.remove(exam)
    }

    /// Of the exam's questions the user hears of these from now on.
    func narrow(_ exam: ExamID, to questions: Set<Int>) {
        if filter.questions != nil { filter.questions?[exam] = questions }
    }

    func cursorText(behind entry: RingEntry, _ cursor: StreamCursor?) -> String {
        if followsOnePartition { return entry.partitionCursor }
        return cursor?.text ?? entry.fullCursor
    }
}

/// Which events a subscription brings.
struct SubscriptionFilter: Sendable {
    let kind: Int
    /// nil for all exams.
    var exams: Set<ExamID>?
    /// nil for all of the connection type.
    let eventTypes: Set<EventType>?
    let user: UserID
    /// Of each exam the questions a marker hears of; nil for who hears of everything.
    var questions: [ExamID: Set<Int>]?

    func wants(_ entry: RingEntry) -> Bool {
        wants(type: entry.type, exam: entry.exam, recipient: entry.recipient) && admits(entry)
    }

    func wants(_ event: EventEnvelope) -> Bool {
        wants(type: event.type, exam: event.examID, recipient: RingEntry.recipient(event))
            && (questions == nil || admits(MarkerView.questions(of: event), of: event.examID))
    }

    /// Whether it is about a question the user hears of.
    func admits(_ entry: RingEntry) -> Bool {
        questions == nil || admits(entry.forMarkers?.questions, of: entry.exam)
    }

    private func admits(_ asked: [Int]?, of exam: ExamID?) -> Bool {
        guard let asked, let exam, let known = questions?[exam] else { return false }
        return asked.contains(where: known.contains)
    }

    /// CloudEvents JSON as the user may see it.
    func json(_ stored: StoredEvent) throws -> [UInt8] {
        guard let questions else { return try EventCodec.cloudEventJSON(stored) }
        return try MarkerView.json(stored, questions: stored.event.examID.flatMap { questions[$0] } ?? [])
    }

    private func wants(type: EventType, exam: ExamID?, recipient: UserID?) -> Bool {
        if let exams {
            guard let exam, exams.contains(exam) else { return false }
        }
        guard (eventTypes ?? ConnectionTypeCatalog.all[kind].eventTypes).contains(type) else { return false }
        return recipient == nil || recipient == user
    }
}
