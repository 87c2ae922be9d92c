import EventBus

/// How far a reader of several partitions is: the position of the last event looked at in each. The `id` of a
/// server-sent event, so it holds all that is needed to go on: `0:m1x2c3v4,1:m1x2c3v4-2`, times in base 36.
struct StreamCursor: Equatable, Sendable {
    private(set) var positions: [Int: StreamPosition]

    init(_ positions: [Int: StreamPosition]) {
        self.positions = positions
    }

    /// - Returns: nil when `text` is none.
    init?(_ text: String) {
        positions = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, let partition = Int(halves[0]), partition >= 0, positions[partition] == nil else {
                return nil
            }
            let numbers = halves[1].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            guard let time = UInt64(numbers[0], radix: 36) else { return nil }
            var sequence: UInt64 = 0
            if numbers.count == 2 {
                guard let number = UInt64(numbers[1], radix: 36) else { return nil }
                sequence = number
            }
            positions[partition] = StreamPosition(milliseconds: time, sequence: sequence)
        }
    }

    mutating func advance(to event: StoredEvent) {
        positions[event.partition] = event.position
    }

    /// Never back.
    mutating func advance(_ partition: Int, to position: StreamPosition) {
        if position > positions[partition] ?? .zero { positions[partition] = position }
    }

    mutating func set(_ partition: Int, to position: StreamPosition) {
        positions[partition] = position
    }

    /// - Returns: nil when it does not tell of all `partitions`.
    func restricted(to partitions: [Int]) -> StreamCursor? {
        var part: [Int: StreamPosition] = [:]
        for partition in partitions {
            guard let position = positions[partition] else { return nil }
            part[partition] = position
        }
        return StreamCursor(part)
    }

    var text: String {
        positions.sorted { $0.key < $1.key }.map { partition, position in
            let sequence = position.sequence == 0 ? "" : "-\(String(position.sequence, radix: 36))"
            return "\(partition):\(String(position.milliseconds, radix: 36))\(sequence)"
        }.joined(separator: ",")
    }
}
