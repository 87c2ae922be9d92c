import Synchronization

/// How many sockets of clients there may be, and how many of them WebSockets, so that there are descriptors left for Redis,
/// and sockets left for requests.
final class SocketAdmission: Sendable {
    private struct State {
        var sockets = 0
        var webSockets = 0
        var refused: [String: Int] = [:]
    }

    private let maxSockets: Int
    private let maxWebSockets: Int
    private let state = Mutex(State())

    init(maxSockets: Int, maxWebSockets: Int) {
        self.maxSockets = maxSockets
        self.maxWebSockets = maxWebSockets
    }

    /// A client has connected.
    func enter() -> Bool {
        state.withLock { state in
            guard state.sockets < maxSockets else {
                state.refused["sockets", default: 0] += 1
                return false
            }
            state.sockets += 1
            return true
        }
    }

    func leave() {
        state.withLock { $0.sockets -= 1 }
    }

    /// A connection becomes a WebSocket.
    func upgrade() -> Bool {
        state.withLock { state in
            guard state.webSockets < maxWebSockets else {
                state.refused["connections", default: 0] += 1
                return false
            }
            state.webSockets += 1
            return true
        }
    }

    func leaveWebSocket() {
        state.withLock { $0.webSockets -= 1 }
    }

    func count(refused reason: String) {
        state.withLock { $0.refused[reason, default: 0] += 1 }
    }

    /// Connections that were not taken, by reason.
    var refused: [String: Int] { state.withLock { $0.refused } }
}
