internal import DequeModule
internal import Logging
internal import NIOCore
internal import Synchronization

/// Takes requests from any thread to one event loop, and there to connections: everything that arrived since the event
/// loop last looked goes out in one write.
///
/// `@unchecked Sendable`: `inbox` is guarded by its lock; every other mutable field is used on `eventLoop` alone.
final class RedisDispatcher: @unchecked Sendable {
    private struct Inbox {
        var admission: RequestAdmission
        /// Admitted, not yet taken by the event loop, which is called when the first one comes in.
        var arrivals: [RedisRequest] = []
    }

    let eventLoop: any EventLoop
    let configuration: RedisConfiguration
    private let connector: RedisConnector
    private let logger: Logger
    private let inbox: Mutex<Inbox>

    // On the event loop alone:
    private var waiting: Deque<RedisRequest> = []
    private var pool: PoolStateMachine
    private var connections: [RedisChannelHandler?]
    private var random = SystemRandomNumberGenerator()
    private var lastFailure: RedisError?
    private var timer: Scheduled<Void>?
    private var timerDue: NIODeadline = .distantFuture
    private var spareArrivals: [RedisRequest] = []
    private var drained: EventLoopPromise<Void>?

    init(
        configuration: RedisConfiguration, connector: RedisConnector, eventLoop: any EventLoop, logger: Logger
    ) {
        self.configuration = configuration
        self.connector = connector
        self.eventLoop = eventLoop
        self.logger = logger
        inbox = Mutex(
            Inbox(
                admission: RequestAdmission(
                    maxCommands: configuration.maxQueuedCommands, maxBytes: configuration.maxQueuedBytes)))
        pool = PoolStateMachine(size: configuration.poolSize, backoff: configuration.reconnect)
        connections = Array(repeating: nil, count: configuration.poolSize)
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
            eventLoop.execute { request.cancel() }
        }
    }

    private func submit(_ request: RedisRequest) {
        let (verdict, isFirst) = inbox.withLock { inbox in
            let verdict = inbox.admission.admit(commands: request.count, bytes: request.byteCount)
            guard verdict == .admitted else { return (verdict, false) }
            inbox.arrivals.append(request)
            return (verdict, inbox.arrivals.count == 1)
        }
        switch verdict {
        case .admitted:
            if isFirst {
                eventLoop.execute { self.takeArrivals() }
            }
        case .full:
            reject(request, "the queue is full")
        case .closed:
            reject(request, "the client is closed")
        }
    }

    private func reject(_ request: RedisRequest, _ message: String) {
        eventLoop.execute {
            request.accept()
            request.settle(.failure(RedisError(.notSent, message)))
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

    // MARK: Sending

    private func takeArrivals() {
        let arrivals = inbox.withLock { inbox in
            let arrivals = inbox.arrivals
            inbox.arrivals = spareArrivals
            return arrivals
        }
        let now = NIODeadline.now()
        let deadline = now + TimeAmount(configuration.commandTimeout)
        for request in arrivals {
            request.deadline = deadline
            request.accept()
            waiting.append(request)
        }
        spareArrivals = arrivals
        spareArrivals.removeAll(keepingCapacity: arrivals.count <= 1024)
        startPool()
        dispatch(now: now)
        armTimer(deadline)
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

    private func failWaiting(where isLate: (RedisRequest) -> Bool, _ error: (RedisRequest) -> RedisError) {
        var commands = 0
        var bytes = 0
        while let request = waiting.first, isLate(request) {
            waiting.removeFirst()
            commands += request.count
            bytes += request.byteCount
            request.settle(.failure(error(request)))
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
        let now = NIODeadline.now()
        failWaiting(where: { $0.isSettled || ($0.deadline ?? now) <= now }) { _ in
            RedisError(.notSent, "no connection took the command in time", underlying: lastFailure)
        }
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
            logger.debug("Connected to Redis", metadata: [LogKey.server: "\(configuration.address)"])
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
        lastFailure = error
        if !error.isSafeToRepeat {
            // Waiting mends neither a wrong password nor a wrong option.
            failWaiting(where: { _ in true }) { _ in error }
            logger.error("Redis refuses the connection", metadata: [LogKey.error: "\(error)"])
        } else {
            logger.warning("Cannot connect to Redis", metadata: [LogKey.error: "\(error)"])
        }
        obey(pool.failed(slot: slot, using: &random))
        finishDrainIfIdle()
    }

    // MARK: Closing

    private var isShutDown = false

    private func drain(into promise: EventLoopPromise<Void>) {
        if let earlier = drained {
            earlier.futureResult.cascade(to: promise)
            return
        }
        drained = promise
        guard !isShutDown else { return promise.succeed(()) }
        eventLoop.scheduleTask(in: TimeAmount(configuration.commandTimeout)) { self.shutDown() }
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
        failWaiting(where: { _ in true }) { _ in RedisError(.notSent, "the client is closed") }
        for case let connection? in connections {
            connection.close(reason: "the client is closed")
        }
        drained?.succeed(())
    }
}

extension RedisDispatcher: RedisConnectionOwner {
    func connectionHasRoom(_ connection: RedisChannelHandler) {
        if !waiting.isEmpty {
            dispatch(now: .now())
        }
        finishDrainIfIdle()
    }

    func connectionLostScripts() {
        for case let connection? in connections {
            connection.forgetScripts()
        }
    }

    func connectionClosed(_ connection: RedisChannelHandler) {
        guard let slot = connections.firstIndex(where: { $0 === connection }) else { return }
        connections[slot] = nil
        let age = Duration(NIODeadline.now() - connection.readySince)
        obey(pool.lost(slot: slot, age: age, using: &random))
        finishDrainIfIdle()
    }
}
