package import Domain
package import Logging
import Redis

/// How far a task is that tells of it, or has children.
package struct TaskNews: Encodable, Sendable, Equatable {
    package var type: TaskType
    package var id: TaskID
    package var examID: ExamID?
    package var state: TaskState
    /// From 0 to 1; nil when it told none.
    package var progress: Double?
    package var message: String?

    enum CodingKeys: String, CodingKey {
        case type, id, state, progress, message
        case examID = "exam_id"
    }

    init?(type: TaskType, entry: RESPValue) {
        guard let parts = entry.array, parts.count == 2, let fields = parts[1].fields else { return nil }
        func text(_ name: String) -> String? {
            fields.first { $0.name == name }?.value.string.flatMap { $0.isEmpty ? nil : $0 }
        }
        guard let id = text("id"), let state = text("state").flatMap(TaskState.init) else { return nil }
        self.type = type
        self.id = TaskID(id)
        self.state = state
        examID = text("exam").map { ExamID($0) }
        progress = state == .completed ? 1 : text("progress").flatMap(Double.init)
        message = text("message")
        if state == .waiting, let total = text("children").flatMap(Int.init) {
            let children = TaskChildren(
                total: total, open: text("open").flatMap(Int.init) ?? 0, failed: 0, cancelled: 0)
            progress = children.fraction
            message = children.message
        }
    }
}

extension TaskQueue {
    /// Tells `body` what tasks of some types report from now on: progress, and the ends of those that reported some or have
    /// children. Of what happens while Redis is away only the newest thousand or so of each type are told, and `body` gets what
    /// came together at once. Goes on until cancelled.
    package func followNews(
        of types: [TaskType], logger: Logger, _ body: ([TaskNews]) async -> Void
    ) async {
        let byKey = Dictionary(uniqueKeysWithValues: types.map { (keys.queue($0.rawValue, "news"), $0) })
        var positions: [String: String] = [:]
        while !Task.isCancelled {
            do {
                positions = try await ends(of: byKey.keys.filter { positions[$0] == nil }).merging(positions) { $1 }
                try await client.withDedicatedConnection { connection in
                    while !Task.isCancelled {
                        let news = try await Self.read(connection, byKey, &positions)
                        if !news.isEmpty { await body(news) }
                    }
                }
            } catch {
                if Task.isCancelled { return }
                logger.warning("Following tasks failed; trying again", metadata: [LogKey.error: "\(error)"])
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    private static let longestRead: Duration = .seconds(10)

    private static func read(
        _ connection: RedisConnection, _ byKey: [String: TaskType], _ positions: inout [String: String]
    ) async throws -> [TaskNews] {
        var command: RedisCommand = ["XREAD", "COUNT", 500, "BLOCK", longestRead.milliseconds, "STREAMS"]
        let order = Array(byKey.keys)
        for key in order { command.append(key) }
        for key in order { command.append(positions[key] ?? "0") }
        let reply = try await connection.send(command, blockingFor: longestRead)
        var news: [TaskNews] = []
        for stream in reply.array ?? [] {
            guard let parts = stream.array, parts.count == 2, let key = parts[0].string, let type = byKey[key],
                let entries = parts[1].array
            else { continue }
            if let last = entries.last?.array?.first?.string { positions[key] = last }
            news += entries.compactMap { TaskNews(type: type, entry: $0) }
        }
        return news
    }

    /// The last entry of each stream, `0` of those that are not there yet.
    private func ends(of streams: [String]) async throws -> [String: String] {
        guard !streams.isEmpty else { return [:] }
        let replies = try await client.pipeline(streams.map { ["XREVRANGE", $0, "+", "-", "COUNT", 1] })
        var ends: [String: String] = [:]
        for (key, reply) in zip(streams, replies) {
            if let error = reply.error { throw RedisError(refused: error) }
            ends[key] = reply.array?.first?.array?.first?.string ?? "0"
        }
        return ends
    }
}
