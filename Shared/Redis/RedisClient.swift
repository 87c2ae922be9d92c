package import Logging
package import NIOCore
internal import NIOPosix
internal import ServiceLifecycle

/// A client of one Redis server, shared by a whole process: commands of all callers travel together over few
/// connections, in the order of their calls as far as one caller awaits each reply.
///
/// Usable as soon as it is made: the first command connects. `run()` connects at once and, at graceful shutdown, lets
/// what is on its way finish; list the client before the services that use it. Without `run()`, call `close()`.
///
/// While the server is away, callers wait in a bounded queue for up to the command time-out. No blocking command may be
/// sent here (it would stop everyone): see `withDedicatedConnection`. `SUBSCRIBE` and `MONITOR` are not supported.
package final class RedisClient: Sendable {
    package let configuration: RedisConfiguration
    private let eventLoop: any EventLoop
    private let connector: RedisConnector
    let dispatcher: RedisDispatcher
    private let dedicated: DedicatedConnections
    /// For tasks that do little but send commands, such as publishers of many events: on the client's own event loop no
    /// other thread is woken for a reply. They must not compute for long, since all replies wait meanwhile.
    package let taskExecutor: any TaskExecutor

    /// - Parameter eventLoopGroup: One event loop of it serves all connections of the client.
    ///
    /// With a wrong configuration `run()` throws, and every command fails with, `.invalidConfiguration`.
    package init(
        configuration: RedisConfiguration, logger: Logger,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.configuration = configuration
        eventLoop = eventLoopGroup.next()
        taskExecutor = EventLoopExecutor(eventLoop)
        connector = RedisConnector(configuration: configuration, eventLoop: eventLoop)
        dispatcher = RedisDispatcher(
            configuration: configuration, connector: connector, eventLoop: eventLoop, logger: logger)
        dedicated = DedicatedConnections(configuration: configuration, connector: connector, eventLoop: eventLoop)
    }

    deinit {
        dedicated.close()
        dispatcher.abort()
    }

    /// - Throws: `.refused` for an error reply; `.notSent`, `.outcomeUnknown` or `.timedOut` when there is none.
    package func send(_ command: RedisCommand) async throws(RedisError) -> RESPValue {
        for _ in 0..<Self.scriptAttempts {
            let reply = try await dispatcher.execute(RedisRequest(command)).get()
            guard case .error(let error) = reply else { return reply }
            guard command.script != nil, error.prefix == "NOSCRIPT" else { throw RedisError(refused: error) }
        }
        throw Self.scriptsKeepGettingLost
    }

    /// Sends all commands in one piece over one connection, so that the server sees them in order (others' commands
    /// may come between).
    ///
    /// - Returns: A reply for each command; error replies stay in it as `.error`. A script the server did not know is
    ///   sent again after the rest: only after a `SCRIPT FLUSH` does that change the order.
    package func pipeline(_ commands: [RedisCommand]) async throws(RedisError) -> [RESPValue] {
        guard !commands.isEmpty else { return [] }
        var replies = try await dispatcher.execute(RedisRequest(pipeline: commands)).get().array ?? []
        for _ in 1..<Self.scriptAttempts {
            let lost = replies.indices.filter { commands[$0].script != nil && replies[$0].error?.prefix == "NOSCRIPT" }
            guard !lost.isEmpty else { break }
            let request = RedisRequest(pipeline: lost.map { commands[$0] })
            let again = try await dispatcher.execute(request).get().array ?? []
            for (index, reply) in zip(lost, again) {
                replies[index] = reply
            }
        }
        return replies
    }

    /// Runs a script by its SHA-1; a server that does not know it gets the source.
    package func evaluate(
        _ script: RedisScript, keys: [String], arguments: [any RedisArgument] = []
    ) async throws(RedisError) -> RESPValue {
        try await send(script.command(keys: keys, arguments: arguments))
    }

    /// Lends a connection of its own for the time of `body`: for blocking commands and transactions.
    ///
    /// - Throws: What `body` throws; `RedisError` `.notSent` when no connection is to be had within the command
    ///   time-out, `.refused` when the server refuses the greeting.
    package func withDedicatedConnection<R>(_ body: (RedisConnection) async throws -> R) async throws -> R {
        let handler = try await dedicated.lend()
        let connection = RedisConnection(
            handler: handler, eventLoop: eventLoop, commandTimeout: configuration.commandTimeout)
        do {
            let result = try await body(connection)
            await dedicated.takeBack(handler)
            return result
        } catch {
            await dedicated.takeBack(handler)
            throw error
        }
    }

    /// Takes no more commands, waits for those on their way (at most a command time-out), and closes the connections.
    package func close() async {
        await dispatcher.close()
        dedicated.close()
    }

    private static let scriptAttempts = 3
    private static var scriptsKeepGettingLost: RedisError {
        RedisError(.refused("NOSCRIPT"), "the server keeps losing its scripts")
    }
}

extension RedisClient: Service {
    /// Keeps connections open until graceful shutdown or cancellation, then closes.
    ///
    /// - Throws: `RedisError` of code `.invalidConfiguration`, at once. A server that is away is no error.
    package func run() async throws {
        if let error = connector.configurationError { throw error }
        dispatcher.start()
        try? await gracefulShutdown()
        await close()
    }
}
