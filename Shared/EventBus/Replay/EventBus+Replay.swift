import Domain
import Redis

extension EventBus {
    /// What a replay would handle: the dry run. Reads the whole range and changes nothing.
    package func countReplay(_ request: ReplayRequest) async throws -> ReplayCount {
        try await count(ReplayRange(request, now: try await serverTime()))
    }

    /// Requests a replay. One to a handler is begun within a second or so by a replica of the handler's service; one
    /// into a temporary group waits for its subscriber.
    ///
    /// - Parameter id: of a request that may be repeated: the replay that has it already is the answer.
    /// - Throws: `EventBusError` of code `.invalidArgument` when the range is empty by its times or no running service
    ///   offers the handler; `RedisError`, after which the replay may have been requested.
    package func startReplay(_ request: ReplayRequest, id: ReplayID? = nil) async throws -> ReplayStatus {
        if let id, let started = try await replay(id) { return started }
        if case .handler(let group, let name) = request.target {
            let known = try await replayableHandlers()
            guard known.contains(ReplayableHandler(group: group, name: name)) else {
                let names = known.map { "\($0.name) of \($0.group)" }.joined(separator: ", ")
                throw EventBusError(
                    .invalidArgument,
                    "No running service has a handler \(name) of group \(group). There are: \(names)")
            }
        }
        return try await recordReplay(request, id: id)
    }

    /// - Returns: nil when there is no such replay; one is remembered for 30 days.
    package func replay(_ id: ReplayID) async throws -> ReplayStatus? {
        let reply = try await client.send(["HGETALL", keys.replay(id)])
        guard let record = ReplayRecord(id: id, reply) else { return nil }
        return try await withGroupProgress(record.status)
    }

    /// The latest replays, newest first.
    ///
    /// - Parameter limit: 1 to 1000.
    package func replays(limit: Int = 50) async throws -> [ReplayStatus] {
        guard (1...1000).contains(limit) else {
            throw EventBusError(.invalidArgument, "limit must be 1 to 1000, not \(limit)")
        }
        let ids = try await client.send(["ZRANGE", keys.replays, 0, limit - 1, "REV"]).array ?? []
        let known = ids.compactMap { $0.string.map { ReplayID($0) } }
        let replies = try await client.pipeline(known.map { ["HGETALL", keys.replay($0)] })
        var statuses: [ReplayStatus] = []
        for (id, reply) in zip(known, replies) {
            guard let record = ReplayRecord(id: id, reply) else { continue }
            statuses.append(try await withGroupProgress(record.status))
        }
        return statuses
    }

    /// Stops a replay; what it did stays done. An event in its handler's hands may still be finished, but its guarded
    /// effect is refused.
    ///
    /// - Returns: false when there is none, or it had ended.
    @discardableResult
    package func cancelReplay(_ id: ReplayID) async throws -> Bool {
        let reply = try await client.evaluate(EventBusScripts.replayCancel, keys: [keys.replay(id)])
        guard reply.int == 1 else { return false }
        try await forgetReplay(id)
        return true
    }

    /// Handlers that running services offer.
    package func replayableHandlers() async throws -> [ReplayableHandler] {
        let reply = try await client.send(["ZRANGE", keys.replayHandlers, 0, -1])
        return (reply.array ?? []).compactMap { member in
            guard let parts = member.string?.split(separator: " ", maxSplits: 1), parts.count == 2 else { return nil }
            return ReplayableHandler(group: String(parts[0]), name: String(parts[1]))
        }.sorted()
    }
}

extension EventBus {
    /// Replays remembered in the list, and how long each is.
    private static let remembered = 1000
    private static let memory: Duration = .seconds(30 * 24 * 3600)

    func recordReplay(_ request: ReplayRequest, id: ReplayID? = nil) async throws -> ReplayStatus {
        let now = try await serverTime()
        var request = request
        request.to = min(request.to ?? now, now)
        if let from = request.from, let to = request.to, from > to {
            throw EventBusError(.invalidArgument, "The range ends before it begins")
        }
        let id = id ?? ReplayID(UUIDv7.make(at: now).compactString)
        let total = try await count(ReplayRange(request, now: now)).events
        let status = ReplayStatus(
            id: id, request: request, state: .waiting, total: total, handled: 0, failed: 0, failures: [],
            requestedAt: now, startedAt: nil, finishedAt: nil, replica: nil)
        if request.target == .temporaryGroup { try await createGroup(of: status) }
        var commands: [RedisCommand] = [
            [
                "HSET", keys.replay(id), "request", try JSON.encode(request), "state", status.state.rawValue, "total",
                total, "requested", now.milliseconds,
            ],
            ["PEXPIRE", keys.replay(id), Self.memory.milliseconds],
            ["ZADD", keys.replays, now.milliseconds, id.rawValue],
            ["ZREMRANGEBYRANK", keys.replays, 0, -1 - Self.remembered],
        ]
        if request.target != .temporaryGroup {
            // Last: a host that finds it finds all of it.
            commands.append(["ZADD", keys.openReplays, now.milliseconds, id.rawValue])
        }
        let replies = try await client.pipeline(commands)
        if let error = replies.compactMap(\.error).first { throw RedisError(refused: error) }
        return status
    }

    /// Removes what a replay that ended leaves in the partitions.
    func forgetReplay(_ id: ReplayID) async throws {
        var commands: [RedisCommand] = []
        for partition in 0..<configuration.partitions {
            commands.append(["DEL", keys.owner(partition, group: id.group)])
            commands.append(["UNLINK", keys.replayed(partition, id)])
            commands.append(["DEL", keys.fence(partition, group: id.group)])
            // Absent for a replay to a handler.
            commands.append(["XGROUP", "DESTROY", keys.events(partition), id.group])
        }
        commands.append(["DEL", keys.groupMembers(id.group)])
        _ = try await client.pipeline(commands)
    }

    func serverTime() async throws -> Timestamp {
        let time = try await client.send(["TIME"]).array ?? []
        guard let seconds = time.first?.int, let microseconds = time.last?.int else {
            throw EventBusError(.unexpectedReply, "TIME answered without a time")
        }
        return Timestamp(milliseconds: Int64(seconds) * 1000 + Int64(microseconds) / 1000)
    }

    private func count(_ range: ReplayRange) async throws -> ReplayCount {
        var count = ReplayCount()
        var exams: Set<String> = []
        for partition in range.partitions(of: self) {
            var start = range.start
            while let page = try await range.page(of: self, partition: partition, from: start, count: 1000) {
                for stored in page.events {
                    let time = Timestamp(milliseconds: Int64(stored.position.milliseconds))
                    count.events += 1
                    count.byType[stored.event.type, default: 0] += 1
                    count.first = min(count.first ?? time, time)
                    count.last = max(count.last ?? time, time)
                    if let exam = stored.event.examID { exams.insert(exam.rawValue) }
                }
                guard let next = page.next else { break }
                start = next
            }
        }
        count.exams = exams.count
        return count
    }
}

extension RedisKeys {
    func replay(_ id: ReplayID) -> String { global("replay:\(id)") }

    /// Sorted set of replays by the time they were requested.
    var replays: String { global("replays") }

    /// Those of them that may have to be run.
    var openReplays: String { global("replays-open") }

    /// Sorted set of `<group> <handler>` by the last beat of a service that has it.
    var replayHandlers: String { global("replay-handlers") }

    /// Positions a replay has applied: a hash, one field per exam, handler and step.
    func replayed(_ partition: Int, _ id: ReplayID) -> String { record(partition, "replay:\(id):applied") }
}
