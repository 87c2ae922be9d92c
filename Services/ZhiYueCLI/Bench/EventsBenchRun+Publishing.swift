internal import Domain
internal import EventBus
internal import FoundationEssentials
internal import Redis

extension EventsBenchRun {
    /// The ceiling and publishing, in turns.
    func measurePublishing(_ figures: inout EventsBenchFigures) async throws {
        let command = try await sampleCommand()
        var ceilings: [BenchRate] = []
        var rates: [BenchRate] = []
        for round in 1...options.rounds {
            try await clear()
            // As many as take about as long as a round of publishing.
            let count = Int((rates.last?.perSecond ?? 75_000) * options.seconds)
            ceilings.append(try await meter.timed { try await ceiling(command, count: count) })
            try await clear()
            rates.append(try await meter.timed { try await publishForSeconds() })
            progress(
                "round \(round) of \(options.rounds): redis-benchmark \(ceilings[round - 1]), publish \(rates[round - 1])"
            )
        }
        figures.setPublishing(rates: rates, ceilings: ceilings)
        try await clear()
    }

    private func publishForSeconds() async throws -> Int {
        let end = ContinuousClock.now + .seconds(options.seconds)
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for caller in 0..<options.callers {
                group.addTask(executorPreference: client.taskExecutor) {
                    var count = 0
                    while ContinuousClock.now < end {
                        try await bus.publish(events.make(caller + count))
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
    }

    /// The arguments of the XADD a publisher sends, taken from what is then in the stream.
    private func sampleCommand() async throws -> [String] {
        try await clear()
        let event = events.make(0)
        try await bus.publish(event)
        let stream = bus.keys.events(bus.partition(of: event))
        let entry = try await client.send(["XRANGE", stream, "-", "+"]).array?.first?.array
        guard let fields = entry?.last?.array?.compactMap(\.string), fields.count > 1 else {
            throw CommandFailure("the published event is not in its stream")
        }
        return ["XADD", stream, "MAXLEN", "~", "\(bus.configuration.maxLength)", "*"] + fields
    }

    /// redis-benchmark with 16 commands in a pipeline and its usual 50 connections.
    private func ceiling(_ command: [String], count: Int) async throws -> Int {
        let environment = ProcessInfo.processInfo.environment
        guard let program = PrivateRedis.find("redis-benchmark", in: environment["PATH"] ?? "/usr/bin:/bin") else {
            throw CommandFailure("redis-benchmark is not on PATH; install it (make deps)")
        }
        let log = try ChildLog(name: "redis-benchmark", directory: server.path, showsWarnings: false)
        let process = ChildProcess(
            ChildProcess.Launch(
                executable: program,
                arguments: ["-s", server.socket, "-P", "16", "-n", "\(count)", "--csv"] + command,
                environment: environment), log: log)
        guard try await process.run() == .status(0) else {
            throw CommandFailure("redis-benchmark failed: \(log.lastLines.last ?? "it said nothing")")
        }
        return count
    }
}
