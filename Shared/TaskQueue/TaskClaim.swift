package import Domain
import Redis

/// A task as handed to a worker, for as long as its lease holds.
package struct TaskClaim: Sendable {
    package let type: TaskType
    package let id: TaskID
    /// Higher for every claim of any task of the type. Every report about the claim carries it.
    package let fence: Int64
    /// 1 for the first.
    package let attempt: Int
    /// Of a condemned task: how often its handler was to be told, this time included.
    package let reports: Int
    package let priority: TaskPriority
    /// Why the task must not run again: only its handler has still to be told that it failed finally.
    package let condemned: String?
    package let payload: [UInt8]
    package let origin: TaskOrigin
    /// Runs that failed because Redis did.
    package let outages: Int

    /// - Returns: nil when the reply is not what `claim.lua` makes.
    init?(type: TaskType, reply: RESPValue) {
        guard let values = reply.array, values.count == 9, let id = values[0].string,
            let fence = values[1].int.map(Int64.init), let attempt = values[2].int, let reports = values[3].int,
            let priority = values[4].string.flatMap(TaskPriority.init),
            let origin = values[6].bytes.flatMap({ TaskOrigin(encoded: $0) })
        else { return nil }
        self.type = type
        self.id = TaskID(id)
        self.fence = fence
        self.attempt = attempt
        self.reports = reports
        self.priority = priority
        condemned = values[7].string
        payload = values[5].bytes ?? []
        self.origin = origin
        outages = values[8].int ?? 0
    }
}
