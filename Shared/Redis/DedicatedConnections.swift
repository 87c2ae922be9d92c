internal import NIOCore
internal import Synchronization

/// Connections each lent to one caller at a time: for blocking reads and transactions.
final class DedicatedConnections: Sendable {
    private struct State {
        var idle: [RedisChannelHandler] = []
        var lent: [ObjectIdentifier: RedisChannelHandler] = [:]
        /// Lent or being made.
        var inUse = 0
        var isClosed = false
    }

    private let configuration: RedisConfiguration
    private let connector: RedisConnector
    private let eventLoop: any EventLoop
    private let state = Mutex(State())

    init(configuration: RedisConfiguration, connector: RedisConnector, eventLoop: any EventLoop) {
        self.configuration = configuration
        self.connector = connector
        self.eventLoop = eventLoop
    }

    /// - Returns: A connection, an idle one or a new one; tries to make one for a command time-out.
    /// - Throws: `.notSent` when all are lent, the server cannot be reached in time, or the client is closed;
    ///   `.refused` when the server refuses the greeting.
    func lend() async throws(RedisError) -> RedisChannelHandler {
        let limit = configuration.maxDedicatedConnections
        try state.withLock { state throws(RedisError) in
            guard !state.isClosed else { throw Self.closed }
            guard state.inUse < limit else {
                throw RedisError(.notSent, "all \(limit) dedicated connections are in use")
            }
            state.inUse += 1
        }
        do throws(RedisError) {
            let idle = await idleConnection()
            let connection = if let idle { idle } else { try await connect() }
            let isClosed = state.withLock { state in
                state.lent[ObjectIdentifier(connection)] = connection
                return state.isClosed
            }
            guard isClosed else { return connection }
            eventLoop.execute { connection.close(reason: "the client is closed") }
            throw Self.closed
        } catch {
            state.withLock { $0.inUse -= 1 }
            throw error
        }
    }

    /// The caller is done. A connection that is broken, or changed so that the next user would notice, is closed.
    func takeBack(_ connection: RedisChannelHandler) async {
        _ = try? await eventLoop.submit {
            let isClean = connection.isUsable && !connection.isTainted && connection.inFlight == 0
            let isKept = self.state.withLock { state in
                state.lent[ObjectIdentifier(connection)] = nil
                state.inUse -= 1
                guard isClean, !state.isClosed, state.idle.count < self.configuration.maxIdleDedicatedConnections else {
                    return false
                }
                state.idle.append(connection)
                return true
            }
            if !isKept {
                connection.close(reason: "no longer needed")
            }
        }.get()
    }

    func close() {
        let connections = state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return state.idle + state.lent.values
        }
        eventLoop.execute {
            for connection in connections {
                connection.close(reason: "the client is closed")
            }
        }
    }

    private static var closed: RedisError { RedisError(.notSent, "the client is closed") }

    private func idleConnection() async -> RedisChannelHandler? {
        while let candidate = state.withLock({ $0.idle.popLast() }) {
            let isUsable = try? await eventLoop.submit { candidate.isUsable }.get()
            if isUsable == true { return candidate }
        }
        return nil
    }

    private func connect() async throws(RedisError) -> RedisChannelHandler {
        let giveUp = ContinuousClock.now + configuration.commandTimeout
        var random = SystemRandomNumberGenerator()
        var attempt = 1
        while true {
            do {
                return try await connector.connect().get()
            } catch {
                let failure = error as? RedisError ?? RedisError(.notSent, "\(error)", underlying: error)
                let pause = configuration.reconnect.delay(attempt: attempt, using: &random)
                guard failure.isSafeToRepeat, ContinuousClock.now + pause < giveUp else { throw failure }
                attempt += 1
                do {
                    try await Task.sleep(for: pause)
                } catch {
                    throw RedisError(.notSent, "cancelled while connecting", underlying: error)
                }
            }
        }
    }
}
