internal import ArgumentParser
internal import Domain
internal import FoundationEssentials
internal import NIOCore
internal import NIOPosix
internal import Redis
internal import WebSocket

/// One of the processes the bench's clients are in: opens connections, reports what they see through Redis, and does what
/// the bench asks for there, until it is killed.
struct WebSocketBenchClients: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "websocket-clients", abstract: "Clients of the bench of WebSockets.", shouldDisplay: false)

    @Option var redis: String
    @Option var port: Int
    @Option var name: String
    @Option var connections: Int
    /// Of the first connection's exam; the next has the next.
    @Option var firstExam = 0
    @Option var exams: Int
    @Option var source: String
    @Flag var latency = false
    @Flag var cursors = false

    /// What the bench asks for.
    enum Order: String {
        /// All connections are cut.
        case drop
        /// All connections that are not open are opened, with their cursors.
        case open
        /// Counting begins again.
        case reset
    }

    func run() async throws {
        // Its own event loop: those of the connections may be busy.
        let redis = try BenchServer.client(url: redis, eventLoops: MultiThreadedEventLoopGroup(numberOfThreads: 1))
        guard let token = ProcessInfo.processInfo.environment["ZHIYUE_BENCH_TOKEN"] else {
            throw ValidationError("for the bench only")
        }
        let crowd = Crowd(options: self, token: token)
        let opening = Task { await crowd.open() }
        defer { opening.cancel() }
        while true {
            let order = try await redis.send(["LPOP", "bench:\(name):orders"]).string.flatMap(Order.init)
            switch order {
            case .drop: await crowd.drop()
            case .open: await crowd.open()
            case .reset: await crowd.reset()
            case nil: break
            }
            let report = try JSON.string(await crowd.report())
            _ = try await redis.send(["SET", "bench:\(name):report", report])
            if order != nil { _ = try await redis.send(["INCR", "bench:\(name):done"]) }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// All connections of the process.
    ///
    /// `@unchecked Sendable`: the members are used on the event loop of their share alone.
    private final class Crowd: Sendable {
        final class Share: @unchecked Sendable {
            let eventLoop: any EventLoop
            var counters = WebSocketBenchCounters()
            var clients: [WebSocketBenchClient] = []

            init(_ eventLoop: any EventLoop) {
                self.eventLoop = eventLoop
            }
        }

        let options: WebSocketBenchClients
        let request: WebSocketClient.Request
        let shares: [Share]

        init(options: WebSocketBenchClients, token: String) {
            self.options = options
            var request = WebSocketClient.Request()
            request.subprotocols.append("bearer.\(token)")
            self.request = request
            shares = MultiThreadedEventLoopGroup.singleton.makeIterator().map { Share($0) }
        }

        /// Some at a time, as fast as the gateway takes them.
        func open() async {
            await withTaskGroup(of: Void.self) { tasks in
                let lanes = 64
                for lane in 0..<lanes {
                    tasks.addTask {
                        for number in stride(from: lane, to: self.options.connections, by: lanes) {
                            await self.open(number)
                        }
                    }
                }
            }
        }

        private func open(_ number: Int) async {
            let share = shares[number % shares.count]
            let options = options
            let opened = share.eventLoop.flatSubmit {
                let index = number / self.shares.count
                while share.clients.count <= index {
                    let own = share.clients.count * self.shares.count + number % self.shares.count
                    share.clients.append(
                        WebSocketBenchClient(
                            exam: options.firstExam + own % options.exams, counters: share.counters,
                            measuresLatency: options.latency, keepsCursor: options.cursors))
                }
                guard share.clients[index].context == nil else { return share.eventLoop.makeSucceededVoidFuture() }
                let client = NIOLoopBound(share.clients[index], eventLoop: share.eventLoop)
                return WebSocketClient.connect(
                    host: "127.0.0.1", port: options.port, from: options.source, self.request, on: share.eventLoop
                ) { _ in client.value }.map { _ in }
            }
            do {
                try await opened.get()
            } catch {
                share.eventLoop.execute { share.counters.failed += 1 }
            }
        }

        func drop() async {
            for share in shares {
                try? await share.eventLoop.submit {
                    for client in share.clients { client.context?.close(promise: nil) }
                }.get()
            }
        }

        func reset() async {
            for share in shares {
                try? await share.eventLoop.submit { share.counters.clear() }.get()
            }
        }

        func report() async -> WebSocketBenchReport {
            var report = WebSocketBenchReport()
            for share in shares {
                let part = try? await share.eventLoop.submit {
                    var part = WebSocketBenchReport()
                    part.add(share.counters)
                    return part
                }.get()
                if let part { report.add(part) }
            }
            return report
        }
    }
}
