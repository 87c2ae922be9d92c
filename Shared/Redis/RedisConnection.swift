internal import NIOCore

/// A connection lent to one caller by `RedisClient.withDedicatedConnection`, for commands that block (`XREADGROUP
/// BLOCK`, `BZPOPMIN`) or depend on each other (`WATCH`, `MULTI`). Not to be kept beyond that call.
///
/// One command at a time, but for those sent with `begin`. A time-out or a cancellation closes the connection, since its next reply would belong to the
/// command given up; every later use then fails with `.notSent`. `MULTI`, `SELECT` and the like are allowed: the
/// connection is then not reused. `SUBSCRIBE` and `MONITOR` are not.
package final class RedisConnection: Sendable {
    private let handler: RedisChannelHandler
    private let eventLoop: any EventLoop
    private let commandTimeout: Duration

    init(handler: RedisChannelHandler, eventLoop: any EventLoop, commandTimeout: Duration) {
        self.handler = handler
        self.eventLoop = eventLoop
        self.commandTimeout = commandTimeout
    }

    /// - Parameter deadline: When to give up; the client's command time-out from now when nil.
    /// - Throws: `.refused` for an error reply, `.timedOut`, `.outcomeUnknown`, `.notSent`.
    package func send(
        _ command: RedisCommand, deadline: ContinuousClock.Instant? = nil
    ) async throws(RedisError) -> RESPValue {
        for _ in 0..<2 {
            let reply = try await execute([command], deadline: deadline)[0]
            guard case .error(let error) = reply else { return reply }
            guard command.script != nil, error.prefix == "NOSCRIPT" else { throw RedisError(refused: error) }
        }
        throw RedisError(.refused("NOSCRIPT"), "the server keeps losing its scripts")
    }

    /// For a command that blocks on the server for up to `blockTime`; gives up a command time-out after that.
    package func send(_ command: RedisCommand, blockingFor blockTime: Duration) async throws(RedisError) -> RESPValue {
        try await send(command, deadline: .now + blockTime + commandTimeout)
    }

    /// Sends all commands at once. Errors of single commands stay in the array as `.error`.
    package func pipeline(
        _ commands: [RedisCommand], deadline: ContinuousClock.Instant? = nil
    ) async throws(RedisError) -> [RESPValue] {
        try await execute(commands, deadline: deadline)
    }

    /// A command on its way.
    package struct PendingReply: Sendable {
        fileprivate let request: RedisRequest
        fileprivate let outcome: EventLoopFuture<RedisRequest.Outcome>
        fileprivate let connection: RedisConnection

        /// The reply, once it is there.
        ///
        /// - Throws: as `send`.
        package func value() async throws(RedisError) -> RESPValue {
            let settled = await withTaskCancellationHandler {
                // The promise is never failed.
                try? await outcome.get()
            } onCancel: {
                connection.cancel(request)
            }
            let reply = try settled?.get() ?? .null
            guard case .error(let error) = reply else { return reply }
            throw RedisError(refused: error)
        }
    }

    /// Sends a command before it returns, so that several are executed in the order of these calls; their replies may be
    /// awaited later. No command of a script.
    ///
    /// - Parameter blockTime: How long the command may block on the server; it is given up a command time-out after that.
    package func begin(_ command: RedisCommand, blockingFor blockTime: Duration = .zero) -> PendingReply {
        let request = RedisRequest(command, deadline: .now() + TimeAmount(blockTime + commandTimeout))
        let promise = eventLoop.makePromise(of: RedisRequest.Outcome.self)
        request.promise(promise)
        eventLoop.execute { self.write(request, isStateful: command.changesConnection) }
        return PendingReply(request: request, outcome: promise.futureResult, connection: self)
    }

    private func execute(
        _ commands: [RedisCommand], deadline: ContinuousClock.Instant?
    ) async throws(RedisError) -> [RESPValue] {
        guard !commands.isEmpty else { return [] }
        let remaining = deadline.map { $0 - .now } ?? commandTimeout
        guard remaining > .zero else { throw RedisError(.notSent, "the deadline has passed") }
        let request = RedisRequest(pipeline: commands, deadline: .now() + TimeAmount(remaining))
        let isStateful = commands.contains(where: \.changesConnection)
        let outcome = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                request.suspend(continuation)
                eventLoop.execute { self.write(request, isStateful: isStateful) }
            }
        } onCancel: {
            cancel(request)
        }
        return try outcome.get().array ?? []
    }

    private func cancel(_ request: RedisRequest) {
        eventLoop.execute {
            request.cancel()
            if request.isSent { self.handler.close(reason: "cancelled") }
        }
    }

    /// On the event loop.
    private func write(_ request: RedisRequest, isStateful: Bool) {
        request.accept(deadline: .now() + TimeAmount(commandTimeout))
        guard !request.isSettled, let deadline = request.deadline else { return }
        guard handler.isUsable else {
            request.settle(.failure(RedisError(.notSent, "the dedicated connection is closed")))
            return
        }
        if isStateful {
            handler.taint()
        }
        request.timer = eventLoop.scheduleTask(deadline: deadline) { [handler] in
            handler.close(reason: "no reply in time")
        }
        handler.write(request, now: .now(), deadline: deadline)
        handler.flush()
    }
}

extension RedisCommand {
    /// Whether later commands on the same connection behave differently after this one.
    fileprivate var changesConnection: Bool {
        let names = ["MULTI", "WATCH", "SELECT", "AUTH", "HELLO", "CLIENT", "RESET", "READONLY", "READWRITE"]
        return names.contains(description.uppercased())
    }
}
