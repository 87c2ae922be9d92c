/// Bounds what waits to be sent. Does no I/O and no locking.
struct RequestAdmission {
    enum Verdict: Equatable {
        case admitted
        case full
        case closed
    }

    private let maxCommands: Int
    private let maxBytes: Int
    private(set) var commands = 0
    private(set) var bytes = 0
    private(set) var isClosed = false

    init(maxCommands: Int, maxBytes: Int) {
        self.maxCommands = maxCommands
        self.maxBytes = maxBytes
    }

    /// A request larger than a limit is admitted when nothing else waits.
    mutating func admit(commands count: Int, bytes size: Int) -> Verdict {
        guard !isClosed else { return .closed }
        guard commands == 0 || (commands + count <= maxCommands && bytes + size <= maxBytes) else { return .full }
        commands += count
        bytes += size
        return .admitted
    }

    /// A request left the queue, whether sent or given up.
    mutating func release(commands count: Int, bytes size: Int) {
        commands -= count
        bytes -= size
    }

    mutating func close() {
        isClosed = true
    }
}
