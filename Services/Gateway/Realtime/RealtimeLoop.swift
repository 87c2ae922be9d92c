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

    let eventLoop: any EventLoop
    let configuration: RealtimeConfiguration
    let policy: SubscriptionPolicy
    let authenticator: Authenticator
    let slots: StreamSlots
    let reader: HistoryReader
    let partitionCount: Int
    var now = NIODeadline.now()
    /// How long the event loop has listened to its clients. What stalls it for a while counts as little: what they have said
    /// meanwhile is still to be read.
    private(set) var listened = TimeAmount.zero
    private var lastTick = NIODeadline.now()
    var statistics = RealtimeStatistics()
    /// nil until the event streams have been reached for the first time.
    var ring: EventRing?
    private(set) var isDegraded = false
    private(set) var isDraining = false
    var index = SubscriptionIndex()
    private(set) var connections: [ObjectIdentifier: RealtimeConnection] = [:]
    private var timer: RepeatedTask?
    private var running = 0
    private var queue: Deque<() -> Void> = []
    let frames = FrameCache()
    let deflater: FrameDeflater
    /// The text of the end of the ring when its next entry was this.
    var fullEnd: (number: UInt64, text: String)?
    // Of the round of writing.
    var chain = WriteChain()
    var dirty: [RealtimeConnection] = []
    var doomed: [RealtimeConnection] = []

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
        deflater = FrameDeflater(minBytes: configuration.deflateMinBytes)
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
            lastTick = .now()
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
        listened += min(now - lastTick, TimeAmount(configuration.tick * 2))
        lastTick = now
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
        let silence = listened - connection.lastHeard
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

    func endText(_ partitions: [Int], _ ring: EventRing) -> String {
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

    // MARK: Status

    func setDegraded(_ isDegraded: Bool) {
        self.isDegraded = isDegraded
        for connection in connections.values where connection.user != nil { tellStatus(connection) }
        guard isDegraded else { return }
        // Those in line that need not wait are told so.
        let waiting = queue
        queue = []
        for start in waiting { start() }
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
        snapshot.deflateMessages = deflater.count
        for connection in connections.values {
            if connection.socket?.deflate != nil { snapshot.deflateConnections += 1 }
            guard connection.isBlocked else { continue }
            snapshot.slow += 1
            snapshot.maxBehind = max(snapshot.maxBehind, connection.waiting)
        }
        return snapshot
    }

    // MARK: The end

    /// Redis has lost events, of which the ring has some: nothing is told until `start` is called again, and the clients
    /// are sent away to come back.
    func startAnew() {
        ring = nil
        for connection in connections.values { connection.close(.gap, "events were lost") }
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
    ///
    /// - Parameter whileDegraded: what to come back with at once when Redis is known to be away: each call would wait for
    ///   its deadline, and those in line for all before them; nil to wait nevertheless.
    func perform<Value: Sendable>(
        _ work: @escaping @Sendable () async -> Value, whileDegraded: (() -> Value)? = nil,
        then: @escaping (Value) -> Void
    ) {
        if isDegraded, let whileDegraded { return then(whileDegraded()) }
        guard running < Self.concurrency else {
            queue.append { self.perform(work, whileDegraded: whileDegraded, then: then) }
            return
        }
        running += 1
        performUnbounded(work) { [self] value in
            running -= 1
            then(value)
            while running < Self.concurrency, let next = queue.popFirst() { next() }
        }
    }
}
