internal import Domain
internal import EventBus
internal import ServiceKit
internal import TaskQueue

/// The state of a whole system at one moment.
struct StatusReport: Encodable, Equatable {
    struct Partition: Encodable, Equatable {
        var partition: Int
        var length: Int
        var deadLetters: Int
        var memoryBytes: Int
        var bytesPerEvent: Double?
        var groups: [Group]

        enum CodingKeys: String, CodingKey {
            case partition, length
            case deadLetters = "dead_letters"
            case memoryBytes = "memory_bytes"
            case bytesPerEvent = "bytes_per_event"
            case groups
        }

        /// Absent values are written as null, so that every entry has the same members.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(partition, forKey: .partition)
            try container.encode(length, forKey: .length)
            try container.encode(deadLetters, forKey: .deadLetters)
            try container.encode(memoryBytes, forKey: .memoryBytes)
            try container.encode(bytesPerEvent, forKey: .bytesPerEvent)
            try container.encode(groups, forKey: .groups)
        }
    }

    struct Group: Encodable, Equatable {
        var group: String
        var owner: String?
        var lag: Int
        var oldestPendingSeconds: Double?
        var lost: Int

        enum CodingKeys: String, CodingKey {
            case group, owner, lag
            case oldestPendingSeconds = "oldest_pending_seconds"
            case lost
        }

        /// Absent values are written as null, so that every entry has the same members.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(group, forKey: .group)
            try container.encode(owner, forKey: .owner)
            try container.encode(lag, forKey: .lag)
            try container.encode(oldestPendingSeconds, forKey: .oldestPendingSeconds)
            try container.encode(lost, forKey: .lost)
        }
    }

    var services: [ServiceStatus]
    var queues: [QueueStatistics]
    var partitions: [Partition]

    init(services: [ServiceStatus], queues: [QueueStatistics], partitions: [PartitionStatistics]) {
        self.services = services
        self.queues = queues
        self.partitions = partitions.map { partition in
            Partition(
                partition: partition.partition, length: partition.length, deadLetters: partition.deadLetters,
                memoryBytes: partition.memory, bytesPerEvent: partition.memoryPerEvent,
                groups: partition.groups.map {
                    Group(
                        group: $0.group, owner: $0.owner, lag: $0.lag, oldestPendingSeconds: $0.oldestPendingSeconds,
                        lost: $0.lost)
                })
        }
    }

    init(of system: SystemConnection) async throws {
        let services = try await system.registry.list()
        var queues: [QueueStatistics] = []
        for payload in TaskCatalog.all { queues += try await system.queue.statistics(type: payload.type) }
        self.init(services: services, queues: queues, partitions: try await system.bus.statistics())
    }

    /// For people: a line a replica, a queue that is not empty, and a partition with events.
    var table: String {
        var lines = [Self.row(["SERVICE", "REPLICA", "STATE", "MEMORY", "SINCE"], widths: Self.serviceWidths)]
        lines += services.map {
            Self.row(
                [$0.name, $0.replica, $0.state.rawValue, "\($0.rssBytes >> 20) MB", $0.since],
                widths: Self.serviceWidths)
        }
        lines += ["", Self.row(["QUEUE", "PRIORITY", "READY", "LATER", "RUNNING", "DEAD"], widths: Self.queueWidths)]
        lines += queues.filter { $0.ready + $0.scheduled + $0.running + $0.dead > 0 }.map {
            Self.row(
                [
                    $0.type.rawValue, $0.priority.rawValue, "\($0.ready)", "\($0.scheduled)", "\($0.running)",
                    "\($0.dead)",
                ],
                widths: Self.queueWidths)
        }
        lines += [
            "",
            Self.row(
                ["STREAM", "EVENTS", "DEAD", "MEMORY", "PER EVENT", "LOST", "BEHIND"], widths: Self.partitionWidths),
        ]
        lines += partitions.filter { $0.length + $0.deadLetters > 0 }.map { partition in
            let behind = partition.groups.filter { $0.lag > 0 }.map { "\($0.group) \($0.lag)" }.joined(separator: ", ")
            return Self.row(
                [
                    "p\(partition.partition)", "\(partition.length)", "\(partition.deadLetters)",
                    "\(partition.memoryBytes >> 10) kB", partition.bytesPerEvent.map { "\(Int($0)) B" } ?? "-",
                    "\(partition.groups.reduce(0) { $0 + $1.lost })", behind,
                ], widths: Self.partitionWidths)
        }
        return lines.joined(separator: "\n")
    }

    private static let serviceWidths = [16, 28, 10, 8]
    private static let queueWidths = [20, 10, 8, 8, 8]
    private static let partitionWidths = [8, 10, 8, 12, 11, 8]

    private static func row(_ cells: [String], widths: [Int]) -> String {
        zip(cells, widths + [0]).map { cell, width in
            cell + String(repeating: " ", count: max(width - cell.count, width == 0 ? 0 : 1))
        }.joined()
    }
}
