import Foundation
import Synchronization
import TestSupport

/// What can go wrong. Each takes a while and then heals.
enum Fault: String, CaseIterable {
    /// SIGKILL, in the middle of whatever it does; another process takes its place.
    case replicaKilled
    /// SIGSTOP, for longer than the lease.
    case replicaStopped
    /// SIGTERM, and another process takes its place.
    case replicaLeft
    case replicaFrozen
    case replicaRequestsFrozen
    case replicaRepliesFrozen
    case replicaCut
    case publishersFrozen
    case publishersRepliesFrozen
    case publishersCut
    /// SIGKILL; started again with the same append-only file.
    case redisKilled
    case redisStopped
    case connectionsKilled
    case scriptsFlushed
    /// Redis refuses every command that could need more memory.
    case memoryFull

    enum Subject {
        case replica
        case publishers
        case redis
    }

    var subject: Subject {
        switch self {
        case .replicaKilled, .replicaStopped, .replicaLeft, .replicaFrozen, .replicaRequestsFrozen,
            .replicaRepliesFrozen, .replicaCut:
            .replica
        case .publishersFrozen, .publishersRepliesFrozen, .publishersCut: .publishers
        case .redisKilled, .redisStopped, .connectionsKilled, .scriptsFlushed, .memoryFull: .redis
        }
    }
}

extension ChaosSystem {
    /// - Parameters:
    ///   - replica: Which one, for faults of a replica.
    ///   - duration: How long the fault lasts, where it lasts.
    func inflict(_ fault: Fault, on replica: ReplicaProcess, for duration: Duration) async throws {
        if fault.subject == .replica { expectRunning(replica) }
        switch fault {
        case .replicaKilled:
            replica.kill()
            try await Task.sleep(for: duration)
            try replica.start()
        case .replicaStopped:
            replica.signal(SIGSTOP)
            try await Task.sleep(for: duration)
            replica.signal(SIGCONT)
        case .replicaLeft:
            let status = try await replica.leave()
            if status != 0 { failures.withLock { $0.append("\(replica.name) ended with status \(status)") } }
            try replica.start()
        case .replicaFrozen: try await replica.network.freeze(.both, for: duration)
        case .replicaRequestsFrozen: try await replica.network.freeze(.requests, for: duration)
        case .replicaRepliesFrozen: try await replica.network.freeze(.replies, for: duration)
        case .replicaCut: await replica.network.sever()
        case .publishersFrozen: try await publisherNetwork.freeze(.both, for: duration)
        case .publishersRepliesFrozen: try await publisherNetwork.freeze(.replies, for: duration)
        case .publishersCut: await publisherNetwork.sever()
        case .redisKilled:
            kills.withLock { $0.append(.now) }
            try await server.inflict(.killed, for: duration)
        case .redisStopped: try await server.inflict(.stopped, for: duration)
        case .connectionsKilled: try await server.inflict(.connectionsKilled, for: duration)
        case .scriptsFlushed: try await server.inflict(.scriptsFlushed, for: duration)
        case .memoryFull: try await server.inflict(.memoryFull, for: duration)
        }
    }

    /// Nothing reaches Redis or comes from it, and every connection stays open.
    func freezeEverything(for duration: Duration) async throws {
        let networks = [publisherNetwork] + replicas.map(\.network)
        for network in networks { await network.freeze(.both) }
        try await Task.sleep(for: duration)
        for network in networks { await network.thaw() }
    }
}
