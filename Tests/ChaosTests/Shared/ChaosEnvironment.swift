import Foundation

/// How long a randomized run is and what it repeats, from the environment.
struct ChaosEnvironment {
    /// `CHAOS_SEED`; any when it is not set.
    let seed: UInt64
    /// `CHAOS_SECONDS`.
    let seconds: Int
    /// `CHAOS_FSYNC`, `always` or `everysec`.
    let synced: String
    /// `CHAOS_CLIENTS` of WebSockets; nil leaves it to the test.
    let clients: Int?

    /// Not the short run of `make test`.
    var isLong: Bool { seconds >= 30 }

    init(seconds: Int) {
        let environment = ProcessInfo.processInfo.environment
        seed = environment["CHAOS_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...0xFFFF_FFFF)
        self.seconds = environment["CHAOS_SECONDS"].flatMap { Int($0) } ?? seconds
        synced = environment["CHAOS_FSYNC"] ?? "always"
        clients = environment["CHAOS_CLIENTS"].flatMap { Int($0) }
    }
}
