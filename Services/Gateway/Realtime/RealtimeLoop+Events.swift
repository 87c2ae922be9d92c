import Domain
import NIOCore
import TaskQueue

/// Handing out what comes: events, and how far tasks are.
extension RealtimeLoop {
    /// Bytes of events after which a round of writing ends.
    private static let roundBytes = 64 << 10

    /// The event streams have been reached: the latest events, all there are behind `start`; later ones follow. Once more
    /// when Redis has lost events, after all connections have been closed.
    func start(at start: StreamCursor, with entries: [RingEntry]) {
        var ring = EventRing(start: start, capacity: configuration.ringEvents, maxBytes: configuration.ringBytes)
        for entry in entries { _ = ring.append(entry) }
        self.ring = ring
        fullEnd = nil
    }

    func append(_ entries: [RingEntry]) {
        now = .now()
        var bytes = 0
        for entry in entries {
            guard let place = ring?.append(entry), let ring else { continue }
            if entry.type == ExamUpdated.type, let exam = entry.exam { review(index.naming(exam), exam) }
            index.each(type: entry.type, exam: entry.exam) { subscription in
                hand(entry, at: place, to: subscription, ring)
            }
            if entry.type == ExamDeleted.type, let exam = entry.exam { withdraw(exam, from: index.naming(exam)) }
            bytes += entry.json.readableBytes
            if bytes > Self.roundBytes {
                writeRound()
                bytes = 0
            }
        }
        writeRound()
    }

    private func hand(
        _ entry: RingEntry, at place: EventRing.Place, to subscription: Subscription, _ ring: EventRing
    ) {
        guard !subscription.hasEnded else { return }
        let connection = subscription.connection
        if let recipient = entry.recipient, recipient != connection.user?.id { return }
        // Of markers alone; the filter is not copied for others.
        if subscription.filter.questions != nil, !subscription.filter.admits(entry) { return }
        guard subscription.progress.source == .current else { return wait(subscription, place) }
        guard !connection.isBlocked, subscription.underReview.isEmpty else {
            subscription.progress.fallBehind(
                before: entry, at: place, partitions: subscription.partitions, ring: ring)
            return wait(subscription, place)
        }
        var cursor: StreamCursor?
        if !subscription.progress.isPlain {
            switch subscription.progress.accept(entry, ring: ring) {
            case .skip: return
            case .send(let own): cursor = own
            }
        }
        subscription.sent += 1
        let shared = frames.frame(entry, for: subscription, cursor)
        if connection.chain == nil { dirty.append(connection) }
        connection.chain = (connection.chain ?? chain).followed(by: shared)
    }

    /// Counts a message that waits for a slow client.
    private func wait(_ subscription: Subscription, _ place: EventRing.Place) {
        guard subscription.progress.mayLeaveOut, subscription.connection.isBlocked else { return }
        if let old = place.supersedes, case .ring(let next) = subscription.progress.source, old >= next { return }
        subscription.waiting += 1
        subscription.connection.waiting += 1
        if subscription.connection.waiting == configuration.maxBehind + 1 { doomed.append(subscription.connection) }
    }

    func writeRound() {
        let connections = dirty
        dirty = []
        var (messages, bytes) = (0, 0)
        for connection in connections {
            guard let chain = connection.chain else { continue }
            connection.chain = nil
            bytes += connection.send(chain)
            messages += chain.count
        }
        statistics.messagesOut += messages
        statistics.bytesOut += bytes
        chain = WriteChain()
        let tooSlow = doomed
        doomed = []
        for connection in tooSlow { connection.close(.tooSlow, "too many messages wait") }
    }

    // MARK: Tasks

    /// Tells how far tasks are. That is no event: it has no cursor, and of what a client cannot take now only the latest of each
    /// task is kept.
    func tell(_ news: [TaskNews]) {
        guard let kind = ConnectionTypeCatalog.index(of: ConnectionType.progress.name) else { return }
        var told: [ObjectIdentifier: RealtimeConnection] = [:]
        for item in news {
            index.each(kind: kind, exam: item.examID) { subscription in
                guard subscription.underReview.isEmpty else { return }
                subscription.connection.tell(item, of: subscription.id)
                told[ObjectIdentifier(subscription.connection)] = subscription.connection
            }
        }
        for connection in told.values { connection.flush() }
    }
}
