import Foundation
import TestSupport

/// What can go wrong with Redis itself. Each takes a while and then heals.
enum RedisFault: String, CaseIterable {
    /// SIGKILL; started again with the same append-only file.
    case killed
    case stopped
    case connectionsKilled
    case scriptsFlushed
    /// Redis refuses every command that could need more memory.
    case memoryFull
}

extension RedisServer {
    /// - Parameter duration: How long the fault lasts, where it lasts.
    func inflict(_ fault: RedisFault, for duration: Duration) async throws {
        switch fault {
        case .killed:
            kill()
            try await Task.sleep(for: duration / 4)
            try restart()
        case .stopped:
            freeze()
            try await Task.sleep(for: duration)
            thaw()
        case .connectionsKilled: try command("CLIENT KILL TYPE normal")
        case .scriptsFlushed: try command("SCRIPT FLUSH")
        case .memoryFull:
            try command("CONFIG SET maxmemory 1")
            try await Task.sleep(for: duration)
            try command("CONFIG SET maxmemory 0")
        }
    }
}

extension FreezingProxy {
    func freeze(_ frozen: Frozen, for duration: Duration) async throws {
        await freeze(frozen)
        try await Task.sleep(for: duration)
        await thaw()
    }
}
