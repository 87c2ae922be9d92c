import Domain
import EventBus
import Hummingbird
import ServiceKit
import TaskQueue

/// `GET /api/system/status`: services, queues and partitions, as `zhiyue status` shows them.
struct SystemRoutes: Sendable {
    let registry: ServiceRegistry
    let queue: TaskQueue
    let bus: EventBus
    let hub: RealtimeHub

    func declare(in routes: RouteTable) {
        routes.on(
            .get, "/api/system/status", allow: .operators,
            Operation("Shows services, queues and partitions.", .json(.systemStatus)),
            use: status)
    }

    @Sendable
    private func status(_ call: Call) async throws -> Response {
        var queues: [QueueStatistics] = []
        for task in TaskCatalog.all { queues += try await queue.statistics(type: task.type) }
        return try .json(
            StatusDocument(
                services: try await registry.list(), queues: queues,
                partitions: try await bus.statistics().map(PartitionDocument.init),
                websocket: await hub.statistics()))
    }
}

private struct StatusDocument: Encodable {
    let services: [ServiceStatus]
    let queues: [QueueStatistics]
    let partitions: [PartitionDocument]
    let websocket: RealtimeStatistics
}

private struct PartitionDocument: Encodable {
    struct Group: Encodable {
        let group: PartitionStatistics.Group

        enum CodingKeys: String, CodingKey {
            case group, owner, lag
            case oldestPendingSeconds = "oldest_pending_seconds"
            case lost
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(group.group, forKey: .group)
            try container.encode(group.owner, forKey: .owner)
            try container.encode(group.lag, forKey: .lag)
            try container.encode(group.oldestPendingSeconds, forKey: .oldestPendingSeconds)
            try container.encode(group.lost, forKey: .lost)
        }
    }

    let partition: Int
    let length: Int
    let deadLetters: Int
    let memoryBytes: Int
    let bytesPerEvent: Double?
    let groups: [Group]

    init(_ statistics: PartitionStatistics) {
        partition = statistics.partition
        length = statistics.length
        deadLetters = statistics.deadLetters
        memoryBytes = statistics.memory
        bytesPerEvent = statistics.memoryPerEvent
        groups = statistics.groups.map(Group.init)
    }

    enum CodingKeys: String, CodingKey {
        case partition, length
        case deadLetters = "dead_letters"
        case memoryBytes = "memory_bytes"
        case bytesPerEvent = "bytes_per_event"
        case groups
    }
}
