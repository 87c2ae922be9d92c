internal import DequeModule
internal import Logging
internal import NIOCore
internal import Synchronization

/// Takes requests from any thread to one event loop, and there to connections: everything that arrived since the event
/// loop last looked goes out in one write.
///
/// A request that finds the connections at rest is sent at once. While replies are on their way, more requests gather
/// until the next of them comes, or there are `enoughToSend`: it is Nagle's rule, and costs a request at most the time of
/// the replies before it, which it would wait for in the server too. Callers then need not wake the event loop.
///
/// `@unchecked Sendable`: `inbox` is guarded by its lock; every other mutable field is used on `eventLoop` alone.
final class RedisDispatcher: @unchecked Sendable {
    private struct Inbox {
        var admission: RequestAdmission
        /// Admitted, not yet taken by the event loop.
        var arrivals: [RedisRequest] = []
        /// Whether the event loop will look without being called: it is at work, or waits for replies.
        var isAttended = false
    }

    /// Requests that are sent although replies are on their way, so that the server always has something to do. With
    /// 64 callers 8 and 32 are both slower by a fifth.
    private static let enoughToSend = 16
    /// Bytes of a request that does not wait for company.
    private static let largeRequest = 16 << 10

    let eventLoop: any EventLoop
    let configuration: RedisConfiguration
    private let connector: RedisConnector
    private let logger: Logger
    private let commandTimeout: TimeAmount
    private let inbox: Mutex<Inbox>

    // On the event loop alone:
    private var waiting: Deque<RedisRequest> = []
    private var pool: PoolStateMachine
    private var connections: [RedisChannelHandler?]
    private var random = SystemRandomNumberGenerator()
    private var lastFailure: RedisError?
    private var timer: Scheduled<Void>?
    private var timerDue: NIODeadline = .distantFuture
    /// Empty but while it is looked through.
    private var arrivals: [RedisRequest] = []
    private var drained: EventLoopPromise<Void>?
    private var drainLimit: Scheduled<Void>?
    private var isShutDown = false

    init(
        configuration: RedisConfiguration, connector: RedisConnector, eventLoop: any EventLoop, logger: Logger
    ) {
        self.configuration = configuration
        self.connector = connector
        self.eventLoop = eventLoop
        self.logger = logger
        commandTimeout = TimeAmount(configuration.commandTimeout)
        inbox = Mutex(
            Inbox(
                admission: RequestAdmission(
                    maxCommands: configuration.maxQueuedCommands, maxBytes: configuration.maxQueuedBytes)))
        pool = PoolStateMachine(size: max(configuration.poolSize, 0), backoff: configuration.reconnect)
        connections = Array(repeating: nil, count: max(configuration.poolSize, 0))
    }

    // MARK: From any thread

    /// Opens the connections, if they are not yet.
    func start() {
        eventLoop.execute { self.startPool() }
    }

    /// Sends a request and waits for its outcome. Cancellation ends the wait at once: a request not yet sent is
    /// withdrawn, the reply to a sent one is dropped when it comes.
    func execute(_ request: RedisRequest) async -> RedisRequest.Outcome {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                request.suspend(continuation)
                submit(request)
            }
        } onCancel: {
            eventLoop.execute {
                request.cancel()
                // Where it may still be.
                self.takeArrivals()
            }
        }
    }

    private func submit(_ request: RedisRequest) {
        if let error = connector.configurationError {
            return reject(request, error)
        }
        request.deadline = .now() + commandTimeout
        let (verdict, isCalled) = inbox.withLock { inbox in
            let verdict = inbox.admission.admit(commands: request.count, bytes: request.byteCount)
            guard verdict == .admitted else { return (verdict, false) }
            inbox.arrivals.append(request)
            let isEnough = inbox.arrivals.count == Self.enoughToSend || request.byteCount >= Self.largeRequest
            return (verdict, isEnough || (inbox.arrivals.count == 1 && !inbox.isAttended))
        }
        switch verdict {
        case .admitted:
            // A cancellation before now did not find the request here.
            if isCalled || Task.isCancelled {
                if eventLoop.inEventLoop {
                    takeArrivals()
                } else {
                    eventLoop.execute { self.takeArrivals() }
                }
            }
        case .full:
            reject(request, RedisError(.notSent, "the queue is full"))
        case .closed:
            reject(request, Self.closed)
        }
    }

    private func reject(_ request: RedisRequest, _ error: RedisError) {
        eventLoop.execute {
            request.accept(deadline: .now())
            request.settle(.failure(error))
        }
    }

    /// Takes nothing more, lets what is queued and in flight finish (at most a command time-out), then closes.
    func close() async {
        inbox.withLock { $0.admission.close() }
        let drained = eventLoop.makePromise(of: Void.self)
        eventLoop.execute { self.drain(into: drained) }
        try? await drained.futureResult.get()
    }

    /// Closes at once; for a client that is dropped.
    func abort() {
        inbox.withLock { $0.admission.close() }
        eventLoop.execute { self.shutDown() }
    }

    private static var closed: RedisError { RedisError(.notSent, "the client is closed") }

    /// What is under way, in commands.
    struct Load: Sendable {
        let waiting: Int
        let inFlight: Int
    }

    func load() async throws -> Load {
        try await eventLoop.submit {
            Load(
                waiting: self.waiting.lazy.filter { !$0.isSettled }.reduce(0) { $0 + $1.count }
                    + self.inbox.withLock { $0.arrivals.reduce(0) { $0 + $1.count } },
                inFlight: self.connections.reduce(0) { $0 + ($1?.inFlight ?? 0) })
        }.get()
    }

    // MARK: Sending

    private func takeArrivals() {
        // Two arrays take turns, so that no round allocates.
        inbox.withLock { inbox in
            swap(&inbox.arrivals, &arrivals)
            inbox.isAttended = true
        }
        if !arrivals.isEmpty || !waiting.isEmpty {
            takeIn()
        }
        guard !connections.contains(where: { ($0?.inFlight ?? 0) > 0 }) else { return }
        // No reply will come that makes the event loop look again.
        let isLate = inbox.withLock { inbox in
            inbox.isAttended = false
            return !inbox.arrivals.isEmpty
        }
        if isLate {
            eventLoop.execute { self.takeArrivals() }
        }
    }

    private func takeIn() {
        let now = NIODeadline.now()
        let deadline = arrivals.first?.deadline
        for request in arrivals {
            request.accept(deadline: now + commandTimeout)
            waiting.append(request)
        }
        arrivals.removeAll(keepingCapacity: arrivals.count <= 1024)
        guard !isShutDown else {
            failWaiting { _ in Self.closed }
            return
        }
        startPool()
        dispatch(now: now)
        if let deadline {
            armTimer(deadline)
        }
    }

    private func dispatch(now: NIODeadline) {
        var commands = 0
        var bytes = 0
        while let connection = leastBusyConnection() {
            while let request = waiting.first, request.isSettled || connection.hasRoom(for: request.count) {
                waiting.removeFirst()
                commands += request.count
                bytes += request.byteCount
                if !request.isSettled, let deadline = request.deadline {
                    connection.write(request, now: now, deadline: deadline)
                }
            }
            connection.flush()
        }
        release(commands: commands, bytes: bytes)
    }

    /// The connection that can take the first waiting request and has the fewest commands in flight.
    private func leastBusyConnection() -> RedisChannelHandler? {
        guard let request = waiting.first else { return nil }
        var best: RedisChannelHandler?
        for case let connection? in connections where connection.hasRoom(for: request.count) {
            if best.map({ connection.inFlight < $0.inFlight }) ?? true {
                best = connection
            }
        }
        return best
    }

    private func release(commands: Int, bytes: Int) {
        guard commands > 0 else { return }
        inbox.withLock { $0.admission.release(commands: commands, bytes: bytes) }
    }

    /// Fails requests from the head of the queue as long as `error` has an error for them.
    private func failWaiting(_ error: (RedisRequest) -> RedisError?) {
        var commands = 0
        var bytes = 0
        while let request = waiting.first, let error = error(request) {
            waiting.removeFirst()
            commands += request.count
            bytes += request.byteCount
            request.settle(.failure(error))
        }
        release(commands: commands, bytes: bytes)
    }

    // MARK: Time

    private func armTimer(_ deadline: NIODeadline) {
        guard deadline < timerDue else { return }
        timer?.cancel()
        timerDue = deadline
        timer = eventLoop.scheduleTask(deadline: deadline) { self.checkDeadlines() }
    }

    private func checkDeadlines() {
        timerDue = .distantFuture
        timer = nil
        takeArrivals()
        let now = NIODeadline.now()
        let late = RedisError(.notSent, "no connection took the command in time", underlying: lastFailure)
        failWaiting { $0.isSettled || ($0.deadline ?? now) <= now ? late : nil }
        for case let connection? in connections {
            if let next = connection.checkDeadlines(now: now) {
                armTimer(next)
            }
        }
        if let next = waiting.first?.deadline {
            armTimer(next)
        }
        finishDrainIfIdle()
    }

    // MARK: Connections

    private func startPool() {
        pool.start().forEach(obey)
    }

    private func obey(_ action: PoolStateMachine.Action) {
        switch action {
        case .nothing:
            break
        case .connect(let slot):
            connector.connect().whenComplete { self.connectEnded(slot: slot, $0) }
        case .connectLater(let slot, let delay):
            eventLoop.scheduleTask(in: TimeAmount(delay)) { self.obey(self.pool.waited(slot: slot)) }
        }
    }

    private func connectEnded(slot: Int, _ result: Result<RedisChannelHandler, any Error>) {
        switch result {
        case .success(let connection):
            guard connection.isUsable, !isShutDown else {
                connection.close(reason: "not wanted any more")
                obey(pool.failed(slot: slot, using: &random))
                return
            }
            logger.log(
                level: lastFailure == nil ? .debug : .notice, "Connected to Redis",
                metadata: [LogKey.server: "\(configuration.address)"])
            lastFailure = nil
            pool.connected(slot: slot)
            connections[slot] = connection
            connection.owner = self
            dispatch(now: .now())
        case .failure(let error):
            connectFailed(slot: slot, error as? RedisError ?? RedisError(.notSent, "\(error)", underlying: error))
        }
    }

    private func connectFailed(slot: Int, _ error: RedisError) {
        // One line when it begins; the attempts that follow are of no interest.
        let isNew = lastFailure?.code != error.code
        lastFailure = error
        if !error.isSafeToRepeat {
            // Waiting does not mend a wrong password.
            failWaiting { _ in error }
        }
        logger.log(
            level: isNew ? .warning : .debug, "Cannot connect to Redis", metadata: [LogKey.error: "\(error)"])
        obey(pool.failed(slot: slot, using: &random))
        finishDrainIfIdle()
    }

    // MARK: Closing

    private func drain(into promise: EventLoopPromise<Void>) {
        if let earlier = drained {
            earlier.futureResult.cascade(to: promise)
            return
        }
        drained = promise
        guard !isShutDown else { return promise.succeed(()) }
        takeArrivals()
        drainLimit = eventLoop.scheduleTask(in: commandTimeout) { self.shutDown() }
        finishDrainIfIdle()
    }

    private func finishDrainIfIdle() {
        guard drained != nil, !isShutDown else { return }
        let isIdle = waiting.allSatisfy(\.isSettled) && connections.allSatisfy { ($0?.inFlight ?? 0) == 0 }
        if isIdle {
            shutDown()
        }
    }

    private func shutDown() {
        guard !isShutDown else { return }
        isShutDown = true
        pool.close()
        timer?.cancel()
        drainLimit?.cancel()
        failWaiting { _ in Self.closed }
        for case let connection? in connections {
            connection.close(reason: "the client is closed")
        }
        takeArrivals()
        drained?.succeed(())
    }
}

extension RedisDispatcher: RedisConnectionOwner {
    func connectionHasRoom(_ connection: RedisChannelHandler) {
        takeArrivals()
        finishDrainIfIdle()
    }

    func connectionLostScripts() {
        for case let connection? in connections {
            connection.forgetScripts()
        }
    }

    func connectionClosed(_ connection: RedisChannelHandler, reason: String) {
        guard let slot = connections.firstIndex(where: { $0 === connection }) else { return }
        connections[slot] = nil
        if !isShutDown {
            logger.warning(
                "Lost a connection to Redis",
                metadata: [LogKey.server: "\(configuration.address)", LogKey.error: "\(reason)"])
        }
        let age = Duration(NIODeadline.now() - connection.readySince)
        obey(pool.lost(slot: slot, age: age, using: &random))
        takeArrivals()
        finishDrainIfIdle()
    }
}
