package import Domain
package import EventBus
internal import Redis

extension ExamStore {
    /// Puts a marked sheet into the figures of its exam, in place of what it contributed before.
    ///
    /// Effectively once: the position of the event is recorded in the same script.
    package func contribute(
        _ event: GradingCompleted, guardedBy guarding: EffectGuard, context: EventContext
    ) async throws {
        guard let examID = event.sheetID.examID else { throw ExamStoreError.noSheet(event.sheetID) }
        let place = place(of: examID)
        let values = try await client.send(["HGET", place.contributions, event.sheetID.rawValue])
        let old = values.isNull ? nil : try decode(SheetContribution.self, values, of: "contribution")
        let new = SheetContribution(event)
        var figures = StatisticsRecord(try await client.send(["HGETALL", place.statistics]))
        if let old { figures.add(old, sign: -1) }
        figures.add(new, sign: 1)

        var transaction = RecordTransaction()
        transaction.require(place.contributions, field: event.sheetID.rawValue, equals: values.string)
        transaction.set(place.contributions, [event.sheetID.rawValue: try JSON.encode(new)])
        for (field, value) in figures.changed {
            transaction.set(place.statistics, [field: value])
        }
        let summary = figures.summary(maxScore: event.maxScore)
        let updated = QualityUpdated(
            examID: examID, count: summary.count, mean: summary.mean,
            standardDeviation: summary.standardDeviation, needsReview: summary.needsReview)
        transaction.publish(try EventEnvelope(updated, examID: examID, context: context), on: place.events)
        try await commit(transaction, guardedBy: guarding)
    }

    /// - Throws: `ExamStoreError` with `.notFound` when there is no such exam.
    package func statistics(exam id: ExamID) async throws -> ExamStatistics {
        guard let exam = try await exam(id) else { throw ExamStoreError.noExam(id) }
        let place = place(of: id)
        var statistics = StatisticsRecord(try await client.send(["HGETALL", place.statistics]))
            .summary(maxScore: exam.maxScore)
        let scores = try await client.send(["HVALS", place.contributions]).array ?? []
        let all = try scores.map { try decode(SheetContribution.self, $0, of: "contribution").score }
        statistics.minimum = all.min().map { Double($0) / 100 }
        statistics.maximum = all.max().map { Double($0) / 100 }
        return statistics
    }
}

/// The hash of aggregated figures: whole numbers only, so adding and taking away is exact.
struct StatisticsRecord {
    private var values: [String: Int] = [:]
    private var changedFields: Set<String> = []

    init(_ reply: RESPValue) {
        for (name, value) in reply.fields ?? [] {
            values[name] = value.int
        }
    }

    var changed: [(String, Int)] { changedFields.sorted().map { ($0, values[$0] ?? 0) } }

    mutating func add(_ contribution: SheetContribution, sign: Int) {
        add(sign, to: "count")
        add(sign * contribution.score, to: "sum")
        add(sign * contribution.score * contribution.score, to: "squares")
        add(sign, to: "bin:\(contribution.bin)")
        if contribution.needsReview { add(sign, to: "review") }
        for (question, correct) in contribution.answers {
            add(sign, to: "q:\(question):count")
            if correct { add(sign, to: "q:\(question):correct") }
        }
    }

    func summary(maxScore: Double) -> ExamStatistics {
        let count = values["count"] ?? 0
        let mean = count > 0 ? Double(values["sum"] ?? 0) / Double(count) : nil
        let deviation = mean.map { mean in
            (max(0, Double(values["squares"] ?? 0) / Double(count) - mean * mean)).squareRoot()
        }
        let questions = values.keys.compactMap { key -> Int? in
            let parts = key.split(separator: ":")
            return parts.count == 3 && parts[0] == "q" && parts[2] == "count" ? Int(parts[1]) : nil
        }
        return ExamStatistics(
            count: count, needsReview: values["review"] ?? 0, mean: mean.map { $0 / 100 },
            standardDeviation: deviation.map { $0 / 100 }, minimum: nil, maximum: nil, maxScore: maxScore,
            distribution: (0..<10).map {
                .init(from: $0 * 10, to: $0 * 10 + 10, count: values["bin:\($0)"] ?? 0)
            },
            questions: questions.sorted().map { question in
                let count = values["q:\(question):count"] ?? 0
                let correct = values["q:\(question):correct"] ?? 0
                return .init(
                    question: question, count: count, correct: correct,
                    rate: count > 0 ? Double(correct) / Double(count) : nil)
            })
    }

    private mutating func add(_ amount: Int, to field: String) {
        values[field, default: 0] += amount
        changedFields.insert(field)
    }
}
