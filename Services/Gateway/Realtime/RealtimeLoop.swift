import Access
import DequeModule
import Domain
import EventBus
import NIOCore
import TaskQueue
import WebSocket

/// All connections of one event loop, what they have subscribed to, and the recent events. Nothing in here is locked,
/// since everything happens on that event loop; connections have neither tasks nor timers of their own.
///
/// `@unchecked Sendable`: all but the constants is used on `eventLoop` alone.
final class RealtimeLoop: @unchecked Sendable {
    static let ping = WebSocketFrame.encode(.ping, ByteBuffer())
    /// Calls to Redis under way at a time; the others wait in turn.
    private static let concurrency = 64
    /// Bytes of events after which a round of writing ends.
    private static let roundBytes = 64 << 10

    let eventLoop: any EventLoop
    let configuration: RealtimeConfiguration
    let policy: SubscriptionPolicy
    let authenticator: Authenticator
    let slots: StreamSlots
    let reader: HistoryReader
    let partitionCount: Int
    private(set) var now = NIODeadline.now()
    var statistics = RealtimeStatistics()
    /// nil until the event streams have been reached for the first time.
    private(set) var ring: EventRing?
    private(set) var isDegraded = false
    private(set) var isDraining = false
    private var index = SubscriptionIndex()
    private var connections: [ObjectIdentifier: RealtimeConnection] = [:]
    private var timer: RepeatedTask?
    private var running = 0
    private var queue: Deque<() -> Void> = []
    private let frames = FrameCache()
    // Of the round of writing.
    private var chain = WriteChain()
    private var dirty: [RealtimeConnection] = []
    private var doomed: [RealtimeConnection] = []

    init(
        eventLoop: any EventLoop, configuration: RealtimeConfiguration, policy: SubscriptionPolicy,
        authenticator: Authenticator, slots: StreamSlots, reader: HistoryReader
    ) {
        self.eventLoop = eventLoop
        self.configuration = configuration
        self.policy = policy
        self.authenticator = authenticator
        self.slots = slots
        self.reader = reader
        partitionCount = reader.bus.configuration.partitions
    }

    func partition(of exam: ExamID) -> Int {
        reader.bus.partition(of: exam)
    }

    // MARK: Connections

    func add(_ connection: RealtimeConnection) {
        connections[ObjectIdentifier(connection)] = connection
        statistics.opened += 1
        if timer == nil {
            let tick = TimeAmount(configuration.tick)
            timer = eventLoop.scheduleRepeatedTask(initialDelay: tick, delay: tick) { [weak self] _ in self?.tick() }
        }
        if isDraining { connection.close(.serviceRestart, "the gateway stops") }
    }

    func remove(_ connection: RealtimeConnection, _ code: WebSocketCloseCode, byPeer: Bool) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        for subscription in connection.subscriptions { remove(subscription) }
        statistics.close(code, byPeer: byPeer)
        if connections.isEmpty {
            timer?.cancel()
            timer = nil
        }
    }

    func remove(_ subscription: Subscription) {
        index.remove(subscription)
        statistics.subscriptions[subscription.kind] -= 1
        subscription.connection.waiting -= subscription.waiting
        subscription.waiting = 0
    }

    /// Everything connections have to be looked at for now and then.
    private func tick() {
        now = .now()
        let time = Timestamp.now
        for connection in connections.values { check(connection, time) }
    }

    private func check(_ connection: RealtimeConnection, _ time: Timestamp) {
        guard let user = connection.user else {
            if now >= connection.authenticationDeadline {
                connection.close(.notAuthenticated, "no token came in time")
            }
            return
        }
        guard time < user.expiresAt else { return connection.close(.tokenExpired, "the token has expired") }
        if let since = connection.blockedSince {
            if now - since > TimeAmount(configuration.stallLimit) { connection.abort(.tooSlow) }
            return
        }
        for subscription in connection.subscriptions where subscription.progress.source != .current {
            // What failed before is tried again.
            catchUp(subscription)
        }
        guard now >= connection.nextHeartbeat else { return }
        connection.nextHeartbeat = now + TimeAmount(configuration.heartbeat)
        let silence = now - connection.lastHeard
        if silence > TimeAmount(configuration.heartbeat * 2.5) { return connection.abort(.unresponsive) }
        tellStatus(connection)
        connection.write(heartbeat(connection))
        if silence >= TimeAmount(configuration.heartbeat * 0.5) { connection.ping() }
        connection.flush()
    }

    private func heartbeat(_ connection: RealtimeConnection) -> ByteBuffer {
        ServerMessage.heartbeat(
            connection.subscriptions.map { subscription in
                (subscription.id, cursor(of: subscription), subscription.sent)
            })
    }

    /// Behind all that `subscription` has been sent.
    private func cursor(of subscription: Subscription) -> String {
        guard let ring else { return "" }
        if subscription.progress.source != .current { return subscription.progress.seen?.text ?? "" }
        if let cursor = subscription.progress.currentCursor(ring: ring) { return cursor.text }
        return endText(subscription.partitions, ring)
    }

    private func endText(_ partitions: [Int], _ ring: EventRing) -> String {
        if partitions.count == partitionCount, partitionCount > 1 {
            if let text = fullEnd, text.number == ring.next { return text.text }
            let text = ring.end.text
            fullEnd = (ring.next, text)
            return text
        }
        return StreamCursor(
            Dictionary(uniqueKeysWithValues: partitions.map { ($0, ring.end.positions[$0] ?? .zero) })
        ).text
    }

    /// The text of the end of the ring when its next entry was this.
    private var fullEnd: (number: UInt64, text: String)?

    // MARK: Subscribing

    /// Where a subscription begins.
    struct Start: Sendable {
        /// nil: with what comes.
        var cursor: StreamCursor?
        /// Something behind the client's cursor is gone.
        var isRecovered = true
        /// The ring's next entry when the exams were looked up.
        var checkedAt: UInt64
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
        perform { [policy, reader, start] in
            var start = start
            do {
                try await policy.check(request, for: user)
                if let cursor, !isKnown, !(try await reader.places.isComplete(behind: cursor)) {
                    start.cursor = nil
                    start.isRecovered = false
                }
                return Result<Start, ClientMessage.Fault>.success(start)
            } catch let fault as ClientMessage.Fault {
                return .failure(fault)
            } catch {
                return .failure(Self.unavailable(request.id))
            }
        } then: { result in
            then(result)
        }
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
    private func loseTrack(of subscription: Subscription) {
        guard let ring else { return }
        subscription.progress.skipToEnd()
        subscription.sent = 0
        statistics.notRecovered += 1
        subscription.connection.send(
            ServerMessage.subscribed(
                id: subscription.id, cursor: endText(subscription.partitions, ring), recovered: false))
    }

    // MARK: Events

    /// The event streams have been reached; events behind `start` follow.
    func start(at start: StreamCursor) {
        ring = EventRing(start: start, capacity: configuration.ringEvents, maxBytes: configuration.ringBytes)
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

    private func writeRound() {
        let connections = dirty
        dirty = []
        for connection in connections {
            guard let chain = connection.chain else { continue }
            connection.chain = nil
            connection.write(chain.bytes, count: chain.count)
            connection.flush()
        }
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

    // MARK: Catching up

    func catchUp(_ connection: RealtimeConnection) {
        for subscription in connection.subscriptions { catchUp(subscription) }
        connection.tellWhatWaits()
        connection.flush()
    }

    /// Hands out what is missing as far as it is at hand and the client takes it.
    private func catchUp(_ subscription: Subscription) {
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
            subscription.connection.write(frames.frame(entry, for: subscription, cursor).bytes)
        }
    }

    private func handOutPage(_ subscription: Subscription, _ ring: EventRing) {
        while !subscription.connection.isBlocked {
            guard let (event, cursor) = subscription.progress.nextOfPage(ring: ring) else { return }
            guard let json = try? EventCodec.cloudEventJSON(event) else { continue }
            subscription.sent += 1
            subscription.connection.write(
                ServerMessage.event(id: subscription.id, cursor: cursor.text, event: ByteBuffer(bytes: json)))
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

    // MARK: Permission

    /// An exam has changed: nothing is sent to those who may have lost it until that is known.
    private func review(_ subscriptions: [Subscription], _ exam: ExamID) {
        for subscription in subscriptions {
            guard let user = subscription.connection.user, !policy.seesAllExams(user),
                subscription.filter.exams?.contains(exam) == true
            else { continue }
            subscription.underReview.insert(exam)
            review(subscription, user)
        }
    }

    private func review(_ subscription: Subscription, _ user: RealtimeUser) {
        guard !subscription.isReviewing, let exam = subscription.underReview.first else { return }
        subscription.isReviewing = true
        perform { [policy] in
            try? await policy.maySee(exam, user)
        } then: { [self] maySee in
            subscription.isReviewing = false
            guard !subscription.hasEnded else { return }
            switch maySee {
            case .some(true): subscription.underReview.remove(exam)
            case .some(false): withdraw(exam, from: [subscription])
            case .none:
                eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { self.review(subscription, user) }
                return
            }
            review(subscription, user)
            catchUp(subscription)
            subscription.connection.flush()
        }
    }

    private func withdraw(_ exam: ExamID, from subscriptions: [Subscription]) {
        // What was before it is still sent.
        writeRound()
        for subscription in subscriptions where !subscription.hasEnded {
            guard let user = subscription.connection.user, !policy.seesAllExams(user) else { continue }
            index.remove(subscription, from: exam)
            subscription.withdraw(exam)
            statistics.withdrawn += 1
            subscription.connection.send(
                ServerMessage.error(
                    ClientMessage.Fault(
                        id: subscription.id, code: "permission_withdrawn",
                        message: "The exam \(exam) was deleted, or is no longer yours.")))
            if subscription.filter.exams?.isEmpty == true { subscription.connection.end(subscription) }
        }
    }

    func revoke(_ user: UserID) {
        for connection in connections.values where connection.user?.id == user {
            guard let claims = connection.user?.claims, authenticator.revocations.isRevoked(claims) else { continue }
            connection.close(.accessWithdrawn, "the sign-in was withdrawn")
        }
    }

    // MARK: Status

    func setDegraded(_ isDegraded: Bool) {
        self.isDegraded = isDegraded
        for connection in connections.values where connection.user != nil { tellStatus(connection) }
    }

    func tellStatus(_ connection: RealtimeConnection) {
        guard connection.isToldDegraded != isDegraded, !connection.isBlocked else { return }
        connection.isToldDegraded = isDegraded
        connection.send(isDegraded ? ServerMessage.degraded : ServerMessage.ok)
    }

    /// What is counted, and how things are now.
    func snapshot() -> RealtimeStatistics {
        var snapshot = statistics
        snapshot.connections = connections.count
        for connection in connections.values where connection.isBlocked {
            snapshot.slow += 1
            snapshot.maxBehind = max(snapshot.maxBehind, connection.waiting)
        }
        return snapshot
    }

    // MARK: The end

    func closeAll(_ code: WebSocketCloseCode, _ reason: String) {
        for connection in connections.values { connection.close(code, reason) }
    }

    /// Closes all connections, spread over a time.
    func drain(over time: TimeAmount) {
        isDraining = true
        let all = Array(connections.values)
        let bound = NIOLoopBound(all, eventLoop: eventLoop)
        for index in all.indices {
            let delay = TimeAmount.nanoseconds(time.nanoseconds * Int64(index) / Int64(all.count))
            eventLoop.scheduleTask(in: delay) { bound.value[index].close(.serviceRestart, "the gateway stops") }
        }
    }

    var isEmpty: Bool { connections.isEmpty }

    // MARK: Work elsewhere

    /// Does something that takes a while, away from the event loop, and comes back with what it gave.
    func performUnbounded<Value: Sendable>(
        _ work: @escaping @Sendable () async -> Value, then: @escaping (Value) -> Void
    ) {
        let bound = NIOLoopBound(then, eventLoop: eventLoop)
        // Has no scope to belong to; it is over soon.
        Task { [eventLoop] in
            let value = await work()
            eventLoop.execute { bound.value(value) }
        }
    }

    /// Does something that waits for Redis, a bounded number at a time, and comes back with what it gave.
    func perform<Value: Sendable>(
        _ work: @escaping @Sendable () async -> Value, then: @escaping (Value) -> Void
    ) {
        guard running < Self.concurrency else {
            queue.append { self.perform(work, then: then) }
            return
        }
        running += 1
        performUnbounded(work) { [self] value in
            running -= 1
            then(value)
            if running < Self.concurrency { queue.popFirst()?() }
        }
    }
}
