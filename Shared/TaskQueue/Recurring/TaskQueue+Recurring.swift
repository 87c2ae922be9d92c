package import Domain
import Redis

/// Recurring work. Of every schedule the task of the next time waits among the delayed ones, so that it begins to the
/// millisecond; once that time has come, any worker places the one after it.
extension TaskQueue {
    /// A schedule and when its next task is due.
    package struct PlacedSchedule: Codable, Sendable, Equatable {
        package var schedule: TaskSchedule
        package var next: Timestamp?
    }

    /// Adds a schedule, or changes the one of its name; a task of the old one that still waits is cancelled. When no
    /// worker was there for several times, the task of one of them runs late and the others are left out.
    ///
    /// - Returns: the schedule and when its first task is due.
    /// - Throws: `TaskQueueError` of code `.invalid`; `.payloadTooLarge`.
    @discardableResult
    package func put(_ schedule: TaskSchedule) async throws -> PlacedSchedule {
        try schedule.validate()
        try schedule.draft(at: .now).validate(configuration)
        _ = try await replace(schedule.type, schedule.name, with: try JSON.encode(schedule))
        // A worker would do so too, later.
        try await placeRecurring(schedule.type)
        return try await withPlace(schedule)
    }

    /// - Returns: whether there was one.
    @discardableResult
    package func removeSchedule(type: TaskType, name: String) async throws -> Bool {
        try await replace(type, name, with: [])
    }

    private func replace(_ type: TaskType, _ name: String, with definition: [UInt8]) async throws -> Bool {
        let reply = try await evaluate(scripts.schedule, type, [name, definition])
        guard let values = reply.array, values.count == 2 else {
            throw TaskQueueError(.unexpectedReply, "the queue expected what was there of a schedule")
        }
        if let due = Self.place(values[1]) { try await cancel(type, name, due) }
        return values[0].int == 1
    }

    /// By name.
    package func schedules(type: TaskType) async throws -> [PlacedSchedule] {
        let reply = try await client.send(["HGETALL", definitions(type)])
        var found: [PlacedSchedule] = []
        for field in reply.fields ?? [] {
            guard let schedule = field.value.bytes.flatMap({ try? JSON.decode(TaskSchedule.self, from: $0) }) else {
                continue
            }
            found.append(try await withPlace(schedule))
        }
        return found.sorted { $0.schedule.name < $1.schedule.name }
    }

    /// Submits the next task of every schedule whose last time has come. Any number of workers may do so at any time.
    ///
    /// - Throws: the first error, after all the others had their turn.
    func placeRecurring(_ type: TaskType) async throws {
        let time = try await client.send(["TIME"]).array?.compactMap(\.int) ?? []
        guard time.count == 2 else { throw TaskQueueError(.unexpectedReply, "Redis did not tell the time") }
        let now = Timestamp(milliseconds: Int64(time[0]) * 1000 + Int64(time[1] / 1000))
        let due = try await client.send(
            ["ZRANGE", places(type), "-inf", now.milliseconds, "BYSCORE", "LIMIT", 0, 100])
        var failure: (any Error)?
        for name in (due.array ?? []).compactMap(\.string) {
            do {
                try await placeNext(type, name, after: now)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    private func placeNext(_ type: TaskType, _ name: String, after now: Timestamp) async throws {
        let definition = try await client.send(["HGET", definitions(type), name])
        guard let schedule = definition.bytes.flatMap({ try? JSON.decode(TaskSchedule.self, from: $0) }) else { return }
        guard let next = try schedule.next(after: now) else {
            _ = try await client.send(["ZADD", places(type), "XX", "+inf", name])
            return
        }
        _ = try await submit(raw: try schedule.draft(at: next))
        _ = try await client.send(["ZADD", places(type), "XX", "GT", next.milliseconds, name])
        // Removed or changed meanwhile: what was placed here is nobody's.
        let isCurrent = try await client.send(["HGET", definitions(type), name]) == definition
        if !isCurrent { try await cancel(type, name, next.milliseconds) }
    }

    private func withPlace(_ schedule: TaskSchedule) async throws -> PlacedSchedule {
        let due = try await client.send(["ZSCORE", places(schedule.type), schedule.name])
        return PlacedSchedule(schedule: schedule, next: Self.place(due).map(Timestamp.init(milliseconds:)))
    }

    /// When the task that waits is due, in milliseconds; nil when none was placed.
    private static func place(_ score: RESPValue) -> Int64? {
        score.double.flatMap { $0 > 0 && $0.isFinite ? Int64($0) : nil }
    }

    private func cancel(_ type: TaskType, _ name: String, _ milliseconds: Int64) async throws {
        let id = TaskSchedule.taskID(name, at: milliseconds)
        // One whose time has come is work that was ordered in time.
        guard try await task(type: type, id: id)?.state == .scheduled else { return }
        do {
            try await cancel(type: type, id: id)
        } catch let error as TaskQueueError where [.notFound, .wrongState].contains(error.code) {}
    }

    private func definitions(_ type: TaskType) -> String { keys.queue(type.rawValue, "schedules") }
    private func places(_ type: TaskType) -> String { keys.queue(type.rawValue, "schedule-places") }
}
