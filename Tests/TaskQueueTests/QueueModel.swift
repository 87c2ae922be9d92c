import Domain

@testable import TaskQueue

/// What the scripts promise, as simply as it can be said: one record per task, one list per priority.
struct QueueModel {
    struct Entry {
        var state: TaskState
        var priority: TaskPriority
        var attempt = 0
        var stalls = 0
        var reports = 0
        var isCondemned = false
        var isCancelRequested = false
        /// Due time, end of the lease, or time of the end, by state.
        var time: Int64 = 0
        /// Counts the claims; the fence of the newest is the one that is believed.
        var claim: Int?
        /// A cancelled task whose place in its list was not reached yet.
        var hasGhost = false
    }

    var tasks: [TaskID: Entry] = [:]
    /// Identifiers in order, those of cancelled tasks included.
    var lists: [TaskPriority: [TaskID]] = [.high: [], .normal: [], .low: []]
    /// Scheduled tasks and leases in the order of time, then of name, as Redis sorts them.
    var isPaused = false
    var slot = 0
    var claims = 0
    var now: Int64
    let configuration: TaskQueueConfiguration

    private func sorted(_ state: TaskState) -> [TaskID] {
        tasks.filter { $0.value.state == state }
            .sorted { ($0.value.time, $0.key.rawValue) < ($1.value.time, $1.key.rawValue) }
            .map(\.key)
    }

    mutating func submit(_ id: TaskID, _ priority: TaskPriority, delay: Int64) -> Bool {
        guard tasks[id] == nil else { return false }
        var entry = Entry(state: delay > 0 ? .scheduled : .ready, priority: priority)
        if delay > 0 { entry.time = now + delay } else { lists[priority]?.append(id) }
        tasks[id] = entry
        return true
    }

    private mutating func promote() {
        for id in sorted(.scheduled) where tasks[id]?.time ?? .max <= now {
            tasks[id]?.state = .ready
            if let priority = tasks[id]?.priority { lists[priority]?.append(id) }
        }
    }

    /// - Returns: what is claimed, with the number of each claim.
    mutating func claim(_ count: Int) -> [(id: TaskID, attempt: Int, claim: Int)] {
        if isPaused { return [] }
        promote()
        var claimed: [(id: TaskID, attempt: Int, claim: Int)] = []
        while claimed.count < count {
            let order: [TaskPriority] =
                if (slot + 1) % 32 == 0 {
                    [.low, .high, .normal]
                } else if (slot + 1) % 8 == 0 {
                    [.normal, .high, .low]
                } else {
                    [.high, .normal, .low]
                }
            guard let priority = order.first(where: { lists[$0]?.isEmpty == false }),
                let id = lists[priority]?.removeFirst(), var entry = tasks[id]
            else { break }
            if entry.state == .ready {
                slot += 1
                claims += 1
                entry.state = .running
                entry.claim = claims
                entry.time = now + configuration.lease.milliseconds
                if entry.isCondemned { entry.reports += 1 } else { entry.attempt += 1 }
                claimed.append((id, entry.attempt, claims))
            } else {
                entry.hasGhost = false
            }
            tasks[id] = entry
        }
        return claimed
    }

    private func holds(_ id: TaskID, _ claim: Int) -> Bool {
        tasks[id]?.claim == claim
    }

    mutating func beat(_ id: TaskID, _ claim: Int) -> HeartbeatAnswer {
        guard holds(id, claim), tasks[id]?.state == .running else { return .lost }
        tasks[id]?.time = now + configuration.lease.milliseconds
        return tasks[id]?.isCancelRequested == true ? .cancel : .goOn
    }

    mutating func complete(_ id: TaskID, _ claim: Int) -> Bool {
        guard holds(id, claim) else { return false }
        if tasks[id]?.state == .running { tasks[id]?.state = .completed }
        return true
    }

    mutating func fail(_ id: TaskID, _ claim: Int, _ mode: TaskFailureMode) -> Bool {
        guard holds(id, claim), var entry = tasks[id] else { return false }
        guard entry.state == .running else { return true }
        switch mode {
        case .bury:
            entry.state = .failed
            entry.isCondemned = false
            entry.reports = 0
        case .cancelled: entry.state = .cancelled
        case .retry where entry.isCancelRequested, .postpone where entry.isCancelRequested,
            .condemn where entry.isCancelRequested:
            entry.state = .cancelled
        case .retry(let delay), .postpone(let delay), .condemn(let delay):
            if case .condemn = mode { entry.isCondemned = true }
            if case .postpone = mode { entry.attempt -= 1 }
            entry.state = .scheduled
            entry.time = now + delay.milliseconds
        }
        entry.isCancelRequested = false
        tasks[id] = entry
        return true
    }

    mutating func release(_ id: TaskID, _ claim: Int) {
        guard holds(id, claim), var entry = tasks[id], entry.state == .running else { return }
        entry.claim = nil
        if entry.isCancelRequested {
            entry.isCancelRequested = false
            entry.state = .cancelled
        } else {
            entry.state = .ready
            if !entry.isCondemned { entry.attempt -= 1 }
            lists[entry.priority]?.insert(id, at: 0)
        }
        tasks[id] = entry
    }

    mutating func reap() -> Int {
        let expired = sorted(.running).filter { tasks[$0]?.time ?? .max <= now }
        for id in expired.reversed() {
            guard var entry = tasks[id] else { continue }
            entry.stalls += 1
            entry.claim = nil
            if entry.isCancelRequested {
                entry.isCancelRequested = false
                entry.state = .cancelled
            } else if entry.stalls >= 2 * configuration.maxStalls {
                entry.state = .failed
                entry.isCondemned = false
                entry.reports = 0
            } else {
                if !entry.isCondemned {
                    entry.attempt -= 1
                    entry.isCondemned = entry.stalls >= configuration.maxStalls
                }
                entry.state = .ready
                lists[entry.priority]?.insert(id, at: 0)
            }
            tasks[id] = entry
        }
        promote()
        return expired.count
    }

    /// - Returns: 2 cancelled, 1 requested, 0 refused.
    mutating func cancel(_ id: TaskID) -> Int {
        guard var entry = tasks[id] else { return 0 }
        defer { tasks[id] = entry }
        switch entry.state {
        case .ready:
            entry.hasGhost = true
            entry.state = .cancelled
            return 2
        case .scheduled:
            entry.state = .cancelled
            return 2
        case .running:
            entry.isCancelRequested = true
            return 1
        case .waiting, .completed, .failed, .cancelled: return 0
        }
    }

    mutating func retry(_ id: TaskID) -> Bool {
        guard let old = tasks[id], old.state == .failed || old.state == .cancelled else { return false }
        tasks[id] = Entry(state: .ready, priority: old.priority)
        if !old.hasGhost { lists[old.priority]?.append(id) }
        return true
    }

    func counts() -> [[Int]] {
        [TaskPriority.high, .normal, .low].map { priority in
            [TaskState.ready, .scheduled, .running, .failed].map { state in
                tasks.values.count { $0.priority == priority && $0.state == state }
            }
        }
    }
}
