import Domain
import NIOCore

/// Beginning a subscription: whether the user may have it, and from where it goes on.
extension RealtimeLoop {
    /// Where a subscription begins.
    struct Start: Sendable {
        /// nil: with what comes.
        var cursor: StreamCursor?
        /// Something behind the client's cursor is gone.
        var isRecovered = true
        /// The ring's next entry when the exams were looked up.
        var checkedAt: UInt64
        var scope = SubscriptionScope()
    }

    /// Whether the user may have a subscription, and where it begins.
    func examine(
        _ request: ClientMessage.Subscribe, for user: RealtimeUser,
        then: @escaping (Result<Start, ClientMessage.Fault>) -> Void
    ) {
        guard let ring else {
            return then(.failure(Self.unavailable(request.id)))
        }
        let needed = Subscription.partitions(of: request, count: partitionCount, partition)
        let cursor = request.cursor.flatMap { StreamCursor($0)?.restricted(to: needed) }
        let start = Start(
            cursor: cursor, isRecovered: request.cursor == nil || cursor != nil, checkedAt: ring.next)
        // Of a place outside the ring only Redis can tell whether all behind it is there.
        let isKnown = cursor.map { ring.covers($0) && ring.reaches($0) } ?? true
        let work: @Sendable () async -> Result<Start, ClientMessage.Fault> = { [policy, reader, start] in
            var start = start
            do {
                start.scope = try await policy.check(request, for: user)
                if let cursor, !isKnown, !(try await reader.places.isComplete(behind: cursor)) {
                    start.cursor = nil
                    start.isRecovered = false
                }
                return .success(start)
            } catch let fault as ClientMessage.Fault {
                return .failure(fault)
            } catch {
                return .failure(Self.unavailable(request.id))
            }
        }
        // What Redis is not needed for does not stand in line with what it is.
        guard !isKnown || !policy.seesAllExams(user) else { return performUnbounded(work, then: then) }
        perform(work, whileDegraded: { .failure(Self.unavailable(request.id)) }, then: then)
    }

    private static func unavailable(_ id: String) -> ClientMessage.Fault {
        ClientMessage.Fault(id: id, code: "unavailable", message: "This cannot be told now. Try again.")
    }

    func begin(_ subscription: Subscription, at start: Start) {
        guard let ring else { return }
        if let cursor = start.cursor {
            subscription.progress = SubscriptionProgress(behind: cursor, ring: ring)
            statistics.recovered += 1
        } else if !start.isRecovered {
            statistics.notRecovered += 1
        }
        index.add(subscription)
        statistics.subscriptions[subscription.kind] += 1
        let cursor = start.cursor?.text ?? endText(subscription.partitions, ring)
        subscription.connection.write(
            ServerMessage.subscribed(id: subscription.id, cursor: cursor, recovered: start.isRecovered))
        // Exams that have changed since they were looked up.
        var number = max(start.checkedAt, ring.first)
        while let entry = ring[number] {
            if let exam = entry.exam, entry.type == ExamUpdated.type || entry.type == ExamDeleted.type {
                review([subscription], exam)
            }
            number += 1
        }
        catchUp(subscription)
        subscription.connection.flush()
    }

    /// Gives up what is missing: from now on new events, and the client is told to reload.
    func loseTrack(of subscription: Subscription) {
        guard let ring else { return }
        subscription.progress.skipToEnd()
        subscription.sent = 0
        statistics.notRecovered += 1
        subscription.connection.send(
            ServerMessage.subscribed(
                id: subscription.id, cursor: endText(subscription.partitions, ring), recovered: false))
    }
}
