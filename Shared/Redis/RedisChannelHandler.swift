internal import NIOCore

/// Who uses a connection. All calls come on the connection's event loop.
protocol RedisConnectionOwner: AnyObject {
    /// Replies came: more may be sent.
    func connectionHasRoom(_ connection: RedisChannelHandler)
    /// A reply said `NOSCRIPT`: the server lost its scripts.
    func connectionLostScripts()
    /// The connection is gone; its requests have been failed. Called once, only after it was ready.
    func connectionClosed(_ connection: RedisChannelHandler, reason: String)
}

/// The innermost handler of a connection: writes requests, gives replies to them, in the order its state machine says.
///
/// `@unchecked Sendable`: every method and field is used on the channel's event loop alone.
final class RedisChannelHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// While a long run of replies is given out, the first callers already send again; looking for that now and then
    /// keeps the server busy meanwhile.
    private static let repliesBetweenWrites = 16

    private let configuration: RedisConfiguration
    private let ready: EventLoopPromise<Void>
    private var machine: ConnectionStateMachine<RedisRequest>
    private let reader: RESPReader
    private var context: ChannelHandlerContext?
    /// Requests written in this turn of the event loop, sent as one write.
    private var outgoing = ByteBuffer()
    /// Scripts the server got through this connection.
    private var knownScripts: Set<String> = []
    private var isClosed = false
    /// Let go when the connection closes. (A weak reference would make every retain of the owner a slow one.)
    var owner: (any RedisConnectionOwner)?
    /// When the greeting ended.
    private(set) var readySince: NIODeadline = .now()
    /// Whether a command changed what later users of the connection would see (`MULTI`, `SELECT`, …).
    private(set) var isTainted = false

    /// - Parameter ready: Fulfilled when the greeting is answered; failed with a `RedisError` when it is refused or the
    ///   connection ends before.
    init(configuration: RedisConfiguration, ready: EventLoopPromise<Void>) throws {
        self.configuration = configuration
        self.ready = ready
        machine = ConnectionStateMachine(
            greeting: RedisGreeting.steps(configuration), maxInFlight: configuration.maxInFlight, now: .now())
        reader = try RESPReader(maxReplyBytes: configuration.maxReplyBytes)
    }

    // MARK: Use by the owner

    var isUsable: Bool { !isClosed && machine.isReady }
    var inFlight: Int { machine.inFlight }

    /// Whether a request of `count` commands may be written now.
    func hasRoom(for count: Int) -> Bool {
        !isClosed && machine.hasRoom(for: count) && context?.channel.isWritable == true
    }

    /// Appends the request to this turn's write. A full buffer goes out at once, which makes `hasRoom` tell whether
    /// the socket still takes more.
    func write(_ request: RedisRequest, now: NIODeadline, deadline: NIODeadline) {
        machine.sent(request, count: request.count, now: now, deadline: deadline)
        switch request.commands {
        case .one(let command): outgoing.write(command, knownScripts: &knownScripts)
        case .many(let commands):
            for command in commands {
                outgoing.write(command, knownScripts: &knownScripts)
            }
        case .none: preconditionFailure("A settled request must not be written")
        }
        request.markSent()
        if outgoing.readableBytes >= 64 << 10 {
            flush()
        }
    }

    func flush() {
        guard let context, outgoing.readableBytes > 0 else { return }
        // Taken away before the write: that may make the channel writable again and so come back here.
        var written = outgoing
        outgoing = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(written), promise: nil)
        // Reuses the storage once the socket took everything; a large one is given back.
        if outgoing.capacity == 0, written.capacity <= 128 << 10 {
            written.clear()
            outgoing = written
        }
    }

    func checkDeadlines(now: NIODeadline) -> NIODeadline? {
        switch machine.checkDeadlines(now: now, silence: TimeAmount(configuration.commandTimeout)) {
        case .wait(let next):
            return next
        case .expire(let requests, let next):
            for request in requests {
                request.settle(.failure(noReply(request)))
            }
            return next
        case .closeSilent:
            close(reason: "no reply within \(configuration.commandTimeout)", now: now)
            return nil
        }
    }

    func forgetScripts() {
        knownScripts.removeAll()
    }

    /// Fails what is in flight and closes the socket.
    func close(reason: String, underlying: (any Error)? = nil, now: NIODeadline = .now()) {
        guard !isClosed else { return }
        isClosed = true
        let wasReady = machine.isReady
        for request in machine.close() {
            if let deadline = request.deadline, deadline <= now {
                request.settle(.failure(noReply(request)))
            } else {
                let message = "connection to \(configuration.address) lost before the reply: \(reason)"
                request.settle(.failure(RedisError(.outcomeUnknown, message, underlying: underlying)))
            }
        }
        outgoing = ByteBuffer()
        ready.fail(
            RedisError(.notSent, "cannot connect to \(configuration.address): \(reason)", underlying: underlying))
        context?.close(promise: nil)
        if wasReady {
            owner?.connectionClosed(self, reason: reason)
        }
        owner = nil
    }

    // MARK: Events of the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if isClosed {
            // Given up while the host's name was looked up.
            context.close(promise: nil)
        } else if context.channel.isActive {
            greet()
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        close(reason: "closed")
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        greet()
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        close(reason: "closed by the server")
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close(reason: "\(error)", underlying: error)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosed else { return }
        do {
            try reader.feed(unwrapInboundIn(data))
            let now = NIODeadline.now()
            var count = 0
            while !isClosed, let reply = try reader.next() {
                obey(machine.received(reply, now: now), reply: reply, now: now)
                count += 1
                if count.isMultiple(of: Self.repliesBetweenWrites) {
                    owner?.connectionHasRoom(self)
                }
            }
        } catch {
            close(reason: "\(error)", underlying: error)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        owner?.connectionHasRoom(self)
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            owner?.connectionHasRoom(self)
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: Inside

    private func obey(_ action: ConnectionStateMachine<RedisRequest>.ReplyAction, reply: RESPValue, now: NIODeadline) {
        switch action {
        case .deliver(let request, let isLast):
            if case .error(let error) = reply, error.prefix == "NOSCRIPT" {
                knownScripts.removeAll()
                owner?.connectionLostScripts()
            }
            request.receive(reply, isLast: isLast)
        case .discard, .greetingContinues:
            break
        case .becomeReady:
            readySince = now
            ready.succeed(())
        case .greetingRefused(let error, let step):
            let message = "\(configuration.address) refused \(step): \(error.message)"
            ready.fail(RedisError(.refused(error.prefix), message, underlying: error))
            close(reason: message)
        case .unexpected:
            close(reason: "a reply nobody asked for")
        }
    }

    private func greet() {
        guard !isClosed else { return }
        for command in RedisGreeting.commands(configuration) {
            outgoing.write(command, knownScripts: &knownScripts)
        }
        flush()
    }

    func taint() {
        isTainted = true
    }

    private func noReply(_ request: RedisRequest) -> RedisError {
        RedisError(.timedOut, "no reply from \(configuration.address) in time")
    }
}
