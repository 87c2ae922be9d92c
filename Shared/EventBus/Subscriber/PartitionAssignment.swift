/// Who should own what. Every replica computes the same from the same view; where views differ for a moment, the
/// acquire script lets only one of them have a partition and the next beat settles the rest.
///
/// Replicas share partitions evenly: with P partitions and N replicas, P mod N of them have one more than the others.
/// Those that own most keep most, so that a change moves as few partitions as it can, and a second look moves none.
struct PartitionAssignment {
    struct Plan: Equatable {
        struct Acquisition: Equatable {
            let partition: Int
            /// The token to replace; empty when nobody owns the partition.
            let seen: String
        }

        var acquire: [Acquisition] = []
        var release: [Int] = []
        /// Owned a moment ago, but somebody else's or nobody's now.
        var lost: [Int] = []
    }

    /// This replica's member name.
    let member: String
    /// Members with a recent beat, this one among them.
    let live: Set<String>
    /// Those of them that take no more partitions and finish what they have.
    var leaving: Set<String> = []
    /// The token of each partition.
    let owners: [String?]
    /// Tokens this replica holds.
    let held: [Int: String]
    /// Held, but being given up.
    let draining: Set<Int>
    /// Whether partitions of owners that are gone may be taken. Not before this replica has itself seen a whole lease
    /// pass: after an outage of Redis everybody looks gone.
    let maySeize: Bool

    func plan() -> Plan {
        var plan = Plan()
        plan.lost = held.filter { owners[$0.key] != $0.value }.map(\.key).sorted()

        var owned: [String: Int] = [:]
        for (partition, token) in owners.enumerated() where !isFree(partition) {
            if let token { owned[PartitionToken.member(token), default: 0] += 1 }
        }
        let members = live.subtracting(leaving).union([member]).sorted {
            (-owned[$0, default: 0], $0) < (-owned[$1, default: 0], $1)
        }
        let (share, rest) = owners.count.quotientAndRemainder(dividingBy: members.count)

        var free = owners.indices.filter { isFree($0) }[...]
        for (rank, candidate) in members.enumerated() {
            let quota = share + (rank < rest ? 1 : 0)
            let taken = free.prefix(max(0, quota - owned[candidate, default: 0]))
            free = free.dropFirst(taken.count)
            guard candidate == member else { continue }
            plan.acquire = taken.map { Plan.Acquisition(partition: $0, seen: owners[$0] ?? "") }
            let kept = held.keys.filter { !plan.lost.contains($0) && !draining.contains($0) }.sorted()
            plan.release = Array(kept.dropFirst(quota))
        }
        return plan
    }

    private func isFree(_ partition: Int) -> Bool {
        guard let token = owners[partition] else { return true }
        let owner = PartitionToken.member(token)
        // A token of this very member that it does not know came from an acquisition whose reply was lost.
        if owner == member { return held[partition] != token }
        return maySeize && !live.contains(owner)
    }
}
