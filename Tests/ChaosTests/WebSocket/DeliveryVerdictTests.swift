import Testing

/// The accounting itself: it must see what it is there for.
@Suite struct DeliveryVerdictTests {
    private let ledger = EventLedger(
        [
            (10, 0, "exam.updated", "a"), (11, 0, "batch.progress", "a"), (12, 0, "batch.progress", "a"),
            (13, 1, "exam.updated", "b"), (14, 1, "exam.updated", "a"), (15, 1, "exam.updated", "c"),
        ].map { number, partition, type, exam in
            PublishedEvent(number: number, partition: partition, type: type, exam: exam, subject: "s")
        })

    private func verdict(_ type: String, _ exams: [String]?, _ received: [Int]) -> DeliveryVerdict {
        var verdict = DeliveryVerdict()
        verdict.judge(
            Following(id: "s", user: "u", connectionType: type, exams: exams, eventTypes: nil), received: received,
            ledger)
        return verdict
    }

    @Test func `all that is followed, in the order of each partition, is clean`() {
        #expect(verdict("general", nil, [13, 10, 14, 15]).isClean)
        #expect(verdict("general", ["a"], [10, 14]).isClean)
        #expect(verdict("general", ["a"], [10, 14]).expected == 2)
    }

    @Test func `what is missing, doubled, out of order or nobody's is counted`() {
        #expect(verdict("general", nil, [10, 14, 15]).missing == 1)
        #expect(verdict("general", ["a"], [10, 14, 14]).doubled == 1)
        #expect(verdict("general", nil, [10, 14, 13, 15]).outOfOrder == 1)
        #expect(verdict("general", ["a"], [10, 13, 14]).foreign == 1)
        #expect(verdict("general", ["a"], [10, 14, 99]).foreign == 1)
    }

    @Test func `progress may be left out when a later one was told, and not otherwise`() {
        #expect(verdict("progress", ["a"], [12]).leftOut == 1)
        #expect(verdict("progress", ["a"], [12]).isClean)
        #expect(verdict("progress", ["a"], [11]).missing == 1)
    }
}
