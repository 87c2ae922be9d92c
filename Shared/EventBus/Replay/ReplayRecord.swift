import Domain
import Redis

/// The hash of a replay.
struct ReplayRecord {
    /// How far a partition is: everything up to `position` is done.
    struct Checkpoint: Equatable {
        var position: StreamPosition
        var handled: Int
        var failed: Int

        var text: String { "\(position) \(handled) \(failed)" }

        init(position: StreamPosition = .zero, handled: Int = 0, failed: Int = 0) {
            self.position = position
            self.handled = handled
            self.failed = failed
        }

        init?(_ text: String) {
            let parts = text.split(separator: " ")
            guard parts.count == 3, let position = StreamPosition(String(parts[0])), let handled = Int(parts[1]),
                let failed = Int(parts[2])
            else { return nil }
            self.init(position: position, handled: handled, failed: failed)
        }
    }

    static let checkpointPrefix = "p:"
    static let failurePrefix = "f:"

    var status: ReplayStatus
    var checkpoints: [Int: Checkpoint] = [:]
    /// Until when its replica's claim holds, in milliseconds of the server's clock.
    var leasedUntil: Int64 = 0

    /// - Parameter reply: of HGETALL; nil when it holds no replay.
    init?(id: ReplayID, _ reply: RESPValue) {
        var values: [String: String] = [:]
        for (name, value) in reply.fields ?? [] { values[name] = value.string ?? "" }
        guard let state = values["state"].flatMap(ReplayStatus.State.init(rawValue:)),
            let request = values["request"].flatMap({ try? JSON.decode(ReplayRequest.self, from: $0) })
        else { return nil }
        func time(_ name: String) -> Timestamp? {
            values[name].flatMap { Int64($0) }.map { Timestamp(milliseconds: $0) }
        }
        for (name, value) in values where name.hasPrefix(Self.checkpointPrefix) {
            guard let partition = Int(name.dropFirst(2)) else { continue }
            checkpoints[partition] = Checkpoint(value)
        }
        let failures = values.filter { $0.key.hasPrefix(Self.failurePrefix) }
            .compactMap { name, error in
                EventCursor(String(name.dropFirst(2))).map { ReplayStatus.Failure(event: $0, error: error) }
            }
            .sorted { ($0.event.position, $0.event.partition) < ($1.event.position, $1.event.partition) }
        status = ReplayStatus(
            id: id, request: request, state: state, total: values["total"].flatMap { Int($0) } ?? 0,
            handled: checkpoints.values.reduce(0) { $0 + $1.handled },
            failed: checkpoints.values.reduce(0) { $0 + $1.failed }, failures: failures,
            requestedAt: time("requested") ?? Timestamp(milliseconds: 0), startedAt: time("started"),
            finishedAt: time("finished"), replica: values["token"].map(PartitionToken.replica))
        leasedUntil = values["lease"].flatMap { Int64($0) } ?? 0
    }
}
