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
        case .replicaFrozen: try await freeze(replica.network, .both, for: duration)
        case .replicaRequestsFrozen: try await freeze(replica.network, .requests, for: duration)
        case .replicaRepliesFrozen: try await freeze(replica.network, .replies, for: duration)
        case .replicaCut: await replica.network.sever()
        case .publishersFrozen: try await freeze(publisherNetwork, .both, for: duration)
        case .publishersRepliesFrozen: try await freeze(publisherNetwork, .replies, for: duration)
        case .publishersCut: await publisherNetwork.sever()
        case .redisKilled:
            kills.withLock { $0.append(.now) }
            server.kill()
            try await Task.sleep(for: duration / 4)
            try server.restart()
        case .redisStopped:
            server.freeze()
            try await Task.sleep(for: duration)
            server.thaw()
        case .connectionsKilled: try server.command("CLIENT KILL TYPE normal")
        case .scriptsFlushed: try server.command("SCRIPT FLUSH")
        case .memoryFull:
            try server.command("CONFIG SET maxmemory 1")
            try await Task.sleep(for: duration)
            try server.command("CONFIG SET maxmemory 0")
        }
    }

    private func freeze(_ network: FreezingProxy, _ frozen: FreezingProxy.Frozen, for duration: Duration) async throws {
        await network.freeze(frozen)
        try await Task.sleep(for: duration)
        await network.thaw()
    }

    /// Nothing reaches Redis or comes from it, and every connection stays open.
    func freezeEverything(for duration: Duration) async throws {
        let networks = [publisherNetwork] + replicas.map(\.network)
        for network in networks { await network.freeze(.both) }
        try await Task.sleep(for: duration)
        for network in networks { await network.thaw() }
    }
}
