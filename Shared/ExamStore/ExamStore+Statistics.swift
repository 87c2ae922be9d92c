package import Domain
package import EventBus
internal import Redis

extension ExamStore {
    /// Puts a marked sheet into the figures of its exam, in place of what it contributed before.
    ///
    /// Effectively once: the position of the event is recorded in the same script. Does nothing for a deleted exam.
    package func contribute(
        _ event: GradingCompleted, guardedBy guarding: EffectGuard, context: EventContext
    ) async throws {
        let new = SheetContribution(event)
        try await contribute(event.sheetID, guardedBy: guarding, context: context) { old in
            // A dead letter brought back is told again behind what followed it.
            if let old, new.order < old.order { return nil }
            return new
        }
    }

    /// Counts a marked sheet among those that wait for people, effectively once as well.
    package func contribute(
        _ event: ReviewRequested, guardedBy guarding: EffectGuard, context: EventContext
    ) async throws {
        try await contribute(event.sheetID, guardedBy: guarding, context: context) { old in
            // A person may have settled it since.
            guard var new = old, !new.needsReview, new.reviewVersion ?? 0 <= event.reviewVersion ?? 0 else {
                return nil
            }
            new.needsReview = true
            return new
        }
    }

    /// - Parameter change: nil when nothing is to change.
    private func contribute(
        _ id: SheetID, guardedBy guarding: EffectGuard, context: EventContext,
        change: (SheetContribution?) -> SheetContribution?
    ) async throws {
        guard let examID = id.examID else { throw ExamStoreError.noSheet(id) }
        let place = place(of: examID)
        guard let exam = try await exam(examID) else { return }
        let value = try await client.send(["HGET", place.contributions, id.rawValue])
        let old = value.isNull ? nil : try decode(SheetContribution.self, value, of: "contribution")
        guard let new = change(old) else { return }
        var transaction = RecordTransaction()
        // What is written after the exam was cleared away would stay for ever.
        transaction.requireExisting(place.record)
        try await replace(value, of: id, by: new, exam: exam, at: place, context: context, in: &transaction)
        try await commit(transaction, guardedBy: guarding)
    }

    /// Puts what a sheet contributes into the figures, in the transaction of a person's decision about it.
    func contribute(
        _ new: SheetContribution, of id: SheetID, exam: Exam, at place: ExamPlace, context: EventContext,
        in transaction: inout RecordTransaction
    ) async throws {
        let value = try await client.send(["HGET", place.contributions, id.rawValue])
        try await replace(value, of: id, by: new, exam: exam, at: place, context: context, in: &transaction)
    }

    /// - Parameter value: the contribution as it is stored; null for none.
    private func replace(
        _ value: RESPValue, of id: SheetID, by new: SheetContribution, exam: Exam, at place: ExamPlace,
        context: EventContext, in transaction: inout RecordTransaction
    ) async throws {
        var figures = StatisticsRecord(try await client.send(["HGETALL", place.statistics]))
        if !value.isNull { figures.add(try decode(SheetContribution.self, value, of: "contribution"), sign: -1) }
        figures.add(new, sign: 1)
        transaction.require(place.contributions, field: id.rawValue, equals: value.string)
        transaction.set(place.contributions, [id.rawValue: try JSON.encode(new)])
        for (field, amount) in figures.changes {
            transaction.add(amount, to: place.statistics, field: field)
        }
        let summary = figures.summary(maxScore: exam.maxScore)
        let updated = QualityUpdated(
            examID: exam.id, count: summary.count, mean: summary.mean,
            standardDeviation: summary.standardDeviation, needsReview: summary.needsReview)
        transaction.publish(try EventEnvelope(updated, examID: exam.id, context: context), on: place.events)
    }

    /// - Throws: `ExamStoreError` with `.notFound` when there is no such exam.
    package func statistics(exam id: ExamID) async throws -> ExamStatistics {
        guard let exam = try await exam(id) else { throw ExamStoreError.noExam(id) }
        let place = place(of: id)
        var statistics = StatisticsRecord(try await client.send(["HGETALL", place.statistics]))
            .summary(maxScore: exam.maxScore)
        let scores = try await client.send(["HVALS", place.contributions]).array ?? []
        let all = try scores.map { try decode(SheetContribution.self, $0, of: "contribution") }
            .filter { $0.isOut != true }.map(\.score)
        statistics.minimum = all.min().map { Double($0) / 100 }
        statistics.maximum = all.max().map { Double($0) / 100 }
        return statistics
    }
}

/// The hash of aggregated figures: whole numbers only, so adding and taking away is exact.
struct StatisticsRecord {
    private var values: [String: Int] = [:]
    private var amounts: [String: Int] = [:]

    init(_ reply: RESPValue) {
        for (name, value) in reply.fields ?? [] {
            values[name] = value.int
        }
    }

    /// What was added to each field since the record was read: added in Redis too, where another group that replays
    /// the same events may have added meanwhile.
    var changes: [(String, Int)] { amounts.filter { $0.value != 0 }.sorted { $0.key < $1.key } }

    mutating func add(_ contribution: SheetContribution, sign: Int) {
        if contribution.isOut == true { return }
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
        amounts[field, default: 0] += amount
    }
}
