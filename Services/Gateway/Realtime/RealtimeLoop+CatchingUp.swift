import EventBus
import NIOCore

/// Handing out what subscriptions lack: of the ring, or of the history in Redis.
extension RealtimeLoop {
    func catchUp(_ connection: RealtimeConnection) {
        for subscription in connection.subscriptions { catchUp(subscription) }
        connection.tellWhatWaits()
        connection.flush()
    }

    /// Hands out what is missing as far as it is at hand and the client takes it.
    func catchUp(_ subscription: Subscription) {
        let connection = subscription.connection
        guard let ring else { return }
        while !connection.isBlocked, !subscription.hasEnded, subscription.underReview.isEmpty {
            switch subscription.progress.source {
            case .current:
                connection.waiting -= subscription.waiting
                subscription.waiting = 0
                return
            case .ring: handOutRing(subscription, ring)
            case .page: handOutPage(subscription, ring)
            case .history: return read(subscription, ring)
            }
        }
    }

    private func handOutRing(_ subscription: Subscription, _ ring: EventRing) {
        let filter = subscription.filter
        while !subscription.connection.isBlocked {
            guard let (entry, verdict) = subscription.progress.next(in: ring, matches: { filter.wants($0) }) else {
                return
            }
            guard case .send(let cursor) = verdict else {
                if subscription.progress.mayLeaveOut, entry.progressKey != nil, filter.wants(entry) {
                    statistics.leftOut += 1
                }
                continue
            }
            if subscription.waiting > 0 {
                subscription.waiting -= 1
                subscription.connection.waiting -= 1
            }
            subscription.sent += 1
            subscription.connection.write(frames.frame(entry, for: subscription, cursor))
        }
    }

    private func handOutPage(_ subscription: Subscription, _ ring: EventRing) {
        while !subscription.connection.isBlocked {
            guard let (event, cursor) = subscription.progress.nextOfPage(ring: ring) else { return }
            guard let json = try? subscription.filter.json(event) else { continue }
            subscription.sent += 1
            subscription.connection.write(
                SharedFrame(
                    ServerMessage.event(id: subscription.id, cursor: cursor.text, event: ByteBuffer(bytes: json))))
        }
    }

    private func read(_ subscription: Subscription, _ ring: EventRing) {
        guard !subscription.isReading else { return }
        guard subscription.scanned < configuration.maxHistoryScan else { return loseTrack(of: subscription) }
        subscription.isReading = true
        statistics.pagesRead += 1
        let missing = subscription.progress.missing(in: ring)
        perform { [reader, filter = subscription.filter] in
            await reader.page(after: missing.after, upTo: missing.upTo, filter)
        } then: { [self] outcome in
            subscription.isReading = false
            guard !subscription.hasEnded else { return }
            switch outcome {
            case .page(let range):
                subscription.scanned += range.scanned
                subscription.progress.receive(range)
                catchUp(subscription)
                subscription.connection.flush()
            case .gap: loseTrack(of: subscription)
            case .unavailable: break
            }
        }
    }
}
