import Testing

@testable import EventBus

@Suite struct PartitionAssignmentTests {
    /// Replicas that act on plans in turn, as on one Redis.
    private struct Group {
        var owners: [String?]
        var live: Set<String>
        var fence = 0
        var moves = 0

        init(partitions: Int) {
            owners = Array(repeating: nil, count: partitions)
            live = []
        }

        func plan(_ member: String) -> PartitionAssignment.Plan {
            var held: [Int: String] = [:]
            for (partition, owner) in owners.enumerated() {
                if let owner, PartitionToken.member(owner) == member { held[partition] = owner }
            }
            return PartitionAssignment(
                member: member, live: live, owners: owners, held: held, draining: [], maySeize: true
            ).plan()
        }

        /// - Returns: whether anything moved.
        mutating func beat(_ member: String) -> Bool {
            let plan = plan(member)
            for partition in plan.release { owners[partition] = nil }
            for acquisition in plan.acquire where (owners[acquisition.partition] ?? "") == acquisition.seen {
                fence += 1
                moves += 1
                owners[acquisition.partition] = "\(member) \(fence)"
            }
            return !plan.release.isEmpty || !plan.acquire.isEmpty
        }

        mutating func settle() {
            for _ in 0..<20 {
                let moved = live.shuffled().map { beat($0) }
                if !moved.contains(true) { return }
            }
            Issue.record("the replicas never agree")
        }

        var shares: [Int] {
            let owned = Dictionary(grouping: owners.compactMap { $0 }, by: { PartitionToken.member($0) })
            return live.map { owned[$0]?.count ?? 0 }.sorted()
        }
    }

    @Test(arguments: [
        (8, 1, [8]), (8, 2, [4, 4]), (8, 3, [2, 3, 3]), (8, 5, [1, 1, 2, 2, 2]), (2, 4, [0, 0, 1, 1]), (1, 1, [1]),
    ])
    func replicasShareEvenly(partitions: Int, replicas: Int, shares: [Int]) {
        var group = Group(partitions: partitions)
        group.live = Set((0..<replicas).map { "r\($0)" })
        group.settle()
        #expect(group.shares == shares)
    }

    @Test func aNewReplicaTakesOnlyItsShare() {
        var group = Group(partitions: 12)
        group.live = ["a", "b", "c"]
        group.settle()
        group.moves = 0
        group.live.insert("d")
        group.settle()
        #expect(group.shares == [3, 3, 3, 3])
        #expect(group.moves == 3)
    }

    @Test func theOthersTakeWhatADeadReplicaOwnedAndNothingElse() {
        var group = Group(partitions: 12)
        group.live = ["a", "b", "c"]
        group.settle()
        group.moves = 0
        group.live.remove("b")
        group.settle()
        #expect(group.shares == [6, 6])
        #expect(group.moves == 4)
    }

    @Test func replicasAgreeAfterAnyComingsAndGoings() {
        var group = Group(partitions: 8)
        for step in 0..<200 {
            if group.live.count > 1, Bool.random() {
                group.live.remove(group.live.randomElement()!)
            } else {
                group.live.insert("r\(step)")
            }
            group.settle()
            #expect(group.owners.allSatisfy { $0.map { group.live.contains(PartitionToken.member($0)) } ?? false })
            #expect((group.shares.last ?? 0) - (group.shares.first ?? 0) <= 1)
        }
    }

    @Test func nothingIsSeizedBeforeTheOwnerHasBeenSeenGone() {
        let plan = PartitionAssignment(
            member: "a", live: ["a"], owners: ["b 1", nil], held: [:], draining: [], maySeize: false
        ).plan()
        #expect(plan.acquire == [.init(partition: 1, seen: "")])
    }

    @Test func aTokenThatChangedMeansThePartitionIsLost() {
        let plan = PartitionAssignment(
            member: "a", live: ["a", "b"], owners: ["b 7", "a 2"], held: [0: "a 1", 1: "a 2"], draining: [],
            maySeize: true
        ).plan()
        #expect(plan == .init(acquire: [], release: [], lost: [0]))
    }

    @Test func aTokenWhoseReplyWasLostIsReplaced() {
        let plan = PartitionAssignment(
            member: "a", live: ["a"], owners: ["a 3"], held: [:], draining: [], maySeize: false
        ).plan()
        #expect(plan.acquire == [.init(partition: 0, seen: "a 3")])
    }

    @Test func aReplicaIsNotItsOwnPredecessor() {
        let first = PartitionToken.member(of: "grader-1")
        #expect(first != PartitionToken.member(of: "grader-1"))
        #expect(PartitionToken.replica("\(first) 12") == "grader-1")
    }
}
