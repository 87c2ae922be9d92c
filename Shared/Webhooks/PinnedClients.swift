internal import AsyncHTTPClient
internal import Synchronization

/// HTTP clients that connect to one address each, whatever the name of its host leads to by then. Kept for a while, so that
/// many events to a receiver share connections, and the certificates of all authorities are not read for each of them.
final class PinnedClients: Sendable {
    struct Key: Hashable {
        let host: String
        let address: String
    }

    /// Shut down when nobody uses it any more.
    final class PinnedClient: Sendable {
        let http: HTTPClient

        init(_ http: HTTPClient) {
            self.http = http
        }

        deinit {
            Task { [http] in try? await http.shutdown() }
        }
    }

    private struct Entry {
        let client: PinnedClient
        var used: ContinuousClock.Instant
    }

    private let capacity: Int
    private let lifetime: Duration
    private let entries = Mutex<[Key: Entry]>([:])

    /// - Parameters:
    ///   - capacity: clients kept at most; the one used the longest ago makes room.
    ///   - lifetime: that a client is kept without use.
    init(capacity: Int = 64, lifetime: Duration = .seconds(60)) {
        self.capacity = capacity
        self.lifetime = lifetime
    }

    func client(for key: Key, make: () -> HTTPClient) -> PinnedClient {
        let now = ContinuousClock.now
        // What is dropped is let go of outside the lock.
        var dropped: [PinnedClient] = []
        defer { withExtendedLifetime(dropped) {} }
        return entries.withLock { entries in
            for (other, entry) in entries where other != key && entry.used + lifetime < now {
                dropped.append(entry.client)
                entries[other] = nil
            }
            if let known = entries[key]?.client {
                entries[key]?.used = now
                return known
            }
            if entries.count >= capacity, let oldest = entries.min(by: { $0.value.used < $1.value.used })?.key {
                entries.removeValue(forKey: oldest).map { dropped.append($0.client) }
            }
            let client = PinnedClient(make())
            entries[key] = Entry(client: client, used: now)
            return client
        }
    }

    var count: Int { entries.withLock { $0.count } }
}
