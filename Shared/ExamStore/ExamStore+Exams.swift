internal import Audit
package import Domain
internal import EventBus
internal import Redis

extension ExamStore {
    /// Stores a new exam with the layout its sheets are printed and read by.
    ///
    /// - Throws: `ExamStoreError` with `.versionMismatch` when the identifier is taken.
    package func create(_ exam: Exam, layout: SheetLayout, context: EventContext) async throws {
        let place = place(of: exam.id)
        var transaction = RecordTransaction()
        transaction.requireMissing(place.record)
        try write(exam, layout: layout, at: place, to: &transaction)
        transaction.rank(exam.id.rawValue, score: exam.createdAt.milliseconds, in: place.exams)
        list(exam, over: nil, at: place, in: &transaction)
        let event = ExamCreated(
            examID: exam.id, title: exam.title, owner: exam.owner, questions: exam.questions.count,
            maxScore: exam.maxScore)
        transaction.publish(try EventEnvelope(event, examID: exam.id, context: context), on: place.events)
        try transaction.audit(
            AuditEntry(
                .examCreated, subject: "exam/\(exam.id)", examID: exam.id, context: context,
                details: ["title": exam.title, "owner": exam.owner.rawValue]),
            in: place.audit)
        guard try await commit(transaction) == .committed else {
            throw ExamStoreError(.versionMismatch, "the exam \(exam.id) exists already")
        }
    }

    package func exam(_ id: ExamID) async throws -> Exam? {
        guard id.isValid else { return nil }
        let value = try await client.send(["HGET", place(of: id).record, "json"])
        guard let record = value.bytes else { return nil }
        return try decoded.value(id, of: record) { try decode(Exam.self, value, of: "exam \(id)") }
    }

    package func layout(of id: ExamID) async throws -> SheetLayout? {
        guard id.isValid else { return nil }
        let value = try await client.send(["HGET", place(of: id).record, "layout"])
        return value.isNull ? nil : try decode(SheetLayout.self, value, of: "layout of exam \(id)")
    }

    /// Changes an exam. A change of key, points or rules raises `keyVersion`, and with it all sheets are marked again.
    ///
    /// - Parameters:
    ///   - expectedVersion: the version the caller has seen; nil overwrites any.
    ///   - makeLayout: called only when the layout has to change.
    /// - Throws: `ExamStoreError` with `.notFound`, `.versionMismatch`, or `.layoutFixed` when sheets were uploaded and
    ///   the change would move fields.
    package func update(
        _ id: ExamID, draft: ExamDraft, expectedVersion: Int?, context: EventContext,
        makeLayout: (Exam) throws -> SheetLayout
    ) async throws -> Exam {
        let place = place(of: id)
        return try await update { () -> (RecordTransaction?, Exam) in
            guard let old = try await exam(id) else { throw ExamStoreError.noExam(id) }
            if let expectedVersion, expectedVersion != old.version {
                throw ExamStoreError(.versionMismatch, "exam \(id) has version \(old.version), not \(expectedVersion)")
            }
            if draft == old.draft { return (nil, old) }
            let keyChanged = draft.questions != old.questions
            let version = old.version + 1
            var new = Exam(
                id: id, draft: draft, owner: old.owner, createdAt: old.createdAt, updatedAt: .now, version: version,
                keyVersion: keyChanged ? version : old.keyVersion)
            new.publishedAt = old.publishedAt
            new.grants = old.grants
            new.grants?.keep(questions: Set(new.questions.map(\.number)))
            var transaction = RecordTransaction()
            transaction.require(place.record, field: "version", equals: String(old.version))
            if draft.hasSameLayout(as: old.draft) {
                transaction.set(place.record, ["json": try JSON.encode(new), "version": version])
            } else {
                guard try await client.send(["ZCARD", place.sheets]).int == 0 else {
                    throw ExamStoreError(
                        .layoutFixed, "sheets have been uploaded, so nothing that moves a field can change")
                }
                transaction.requireEmpty(sortedSet: place.sheets)
                try write(new, layout: try makeLayout(new), at: place, to: &transaction)
            }
            list(new, over: old, at: place, in: &transaction)
            let event = ExamUpdated(
                examID: id, version: version, keyVersion: new.keyVersion, keyChanged: keyChanged)
            transaction.publish(try EventEnvelope(event, examID: id, context: context), on: place.events)
            try transaction.audit(
                AuditEntry(
                    .examChanged, subject: "exam/\(id)", examID: id, context: context,
                    details: [
                        "version": "\(version)",
                        "changed": draft.parts(differingFrom: old.draft).joined(separator: ","),
                    ]),
                in: place.audit)
            return (transaction, new)
        }
    }

    /// Deletes an exam. Its sheets become unreachable at once and are removed by `purge`.
    ///
    /// - Parameter expectedVersion: the version the caller has seen; nil deletes any.
    /// - Throws: `ExamStoreError` with `.notFound` or `.versionMismatch`.
    package func delete(_ id: ExamID, expectedVersion: Int? = nil, context: EventContext) async throws {
        let place = place(of: id)
        try await update { () -> (RecordTransaction?, Void) in
            guard let exam = try await exam(id) else { throw ExamStoreError.noExam(id) }
            if let expectedVersion, expectedVersion != exam.version {
                throw ExamStoreError(.versionMismatch, "exam \(id) has version \(exam.version), not \(expectedVersion)")
            }
            var transaction = RecordTransaction()
            transaction.require(place.record, field: "version", equals: String(exam.version))
            transaction.delete(place.record)
            transaction.remove(id.rawValue, from: place.exams)
            transaction.remove(id.rawValue, from: place.reviewedExams)
            list(nil, over: exam, at: place, in: &transaction)
            let event = ExamDeleted(examID: id, title: exam.title)
            transaction.publish(try EventEnvelope(event, examID: id, context: context), on: place.events)
            try transaction.audit(
                AuditEntry(
                    .examDeleted, subject: "exam/\(id)", examID: id, context: context,
                    details: ["title": exam.title, "version": "\(exam.version)"]),
                in: place.audit)
            return (transaction, ())
        }
    }

    /// Removes what is left of a deleted exam. Idempotent, and resumes where a killed call stopped, because the list
    /// of sheets goes last.
    package func purge(_ id: ExamID) async throws {
        let place = place(of: id)
        guard try await exam(id) == nil else { return }
        // In this order: a page read meanwhile may still move a sheet from the first list to the second.
        for list in [place.sheets, place.joined] {
            while true {
                let reply = try await client.send(["ZRANGE", list, 0, 499])
                let members = (reply.array ?? []).compactMap(\.string)
                if members.isEmpty { break }
                let sheetKeys = members.map { place.sheet(SheetID($0)) }
                _ = try await client.send(RedisCommand("UNLINK", arguments: sheetKeys))
                _ = try await client.send(RedisCommand("ZREM", arguments: [list] + members))
            }
        }
        let rest = [
            place.counters, place.students, place.doubtful, place.statistics, place.contributions, place.sheets,
            place.joined, place.reports, place.remarking, place.remarkingRest, place.uploads,
        ]
        let byStatus = SheetStatus.allCases.map { place.sheets(in: $0) }
        // The counters of the reviews last: they tell which keys there are.
        let counters = ReviewCounters(try await client.send(["HGETALL", place.reviewCounters]))
        let reviews =
            counters.queues(isEmptyToo: true).map(place.reviewQueue)
            + counters.allTargets.flatMap {
                [place.reviews(of: $0, isSettled: false), place.reviews(of: $0, isSettled: true)]
            }
            + [place.reviews, place.reviewLeases]
        _ = try await client.send(RedisCommand("UNLINK", arguments: rest + byStatus + reviews))
        _ = try await client.send(["UNLINK", place.reviewCounters])
    }

    /// Exams, the newest first.
    ///
    /// - Parameters:
    ///   - user: whose own they are, or who has otherwise to do with them; nil lists everybody's.
    ///   - limit: 1 to 200.
    /// - Throws: `ExamStoreError` with `.invalidCursor`.
    package func exams(of user: UserID?, cursor: String?, limit: Int) async throws -> Page<Exam> {
        try await exams(cursor: cursor, limit: limit) { partition in
            user.map { self.keys.record(partition, "user:\($0):exams") } ?? self.keys.record(partition, "exams")
        }
    }

    /// Exams of sorted sets, one a partition, the highest score first.
    func exams(cursor: String?, limit: Int, in key: (Int) -> String) async throws -> Page<Exam> {
        let limit = min(max(limit, 1), 200)
        let bound = try cursor.map { try TimeCursor($0) }
        let replies = try await client.pipeline(
            (0..<partitions).map { partition in
                // A few more than wanted, because those created in the cursor's own millisecond come again.
                return [
                    "ZRANGE", key(partition), bound.map { String($0.time) } ?? "+inf", "-inf", "BYSCORE", "REV",
                    "LIMIT", 0,
                    limit + 50, "WITHSCORES",
                ]
            })
        var found: [(cursor: TimeCursor, partition: Int)] = []
        for (partition, reply) in replies.enumerated() {
            for entry in reply.fields ?? [] {
                let place = TimeCursor(time: Int64(entry.value.double ?? 0), id: entry.name)
                if let bound, !(place < bound) { continue }
                found.append((place, partition))
            }
        }
        found.sort { $1.cursor < $0.cursor }
        let part = found.prefix(limit)
        let values = try await client.pipeline(
            part.map { ["HGET", keys.record($0.partition, "exam:\($0.cursor.id)"), "json"] })
        let exams = try zip(part, values).compactMap { entry, value in
            value.isNull ? nil : try decode(Exam.self, value, of: "exam \(entry.cursor.id)")
        }
        return Page(
            items: exams, nextCursor: found.count > limit ? part.last?.cursor.text : nil)
    }

    private func write(
        _ exam: Exam, layout: SheetLayout, at place: ExamPlace, to transaction: inout RecordTransaction
    ) throws {
        transaction.set(
            place.record,
            [
                "json": try JSON.encode(exam), "version": exam.version, "layout": try JSON.encode(layout),
                "pages": layout.pages.count,
            ])
    }
}

extension ExamDraft {
    /// Names of what differs, without the values: the answers are nobody's business.
    fileprivate func parts(differingFrom old: ExamDraft) -> [String] {
        var parts: [String] = []
        if title != old.title { parts.append("title") }
        if subject != old.subject { parts.append("subject") }
        if studentIDDigits != old.studentIDDigits { parts.append("student_id_digits") }
        if questions != old.questions { parts.append("questions") }
        return parts
    }

    /// True when sheets printed for `other` can be read as sheets of this one.
    func hasSameLayout(as other: ExamDraft) -> Bool {
        func shape(_ draft: ExamDraft) -> [Question] {
            draft.questions.map { question in
                Question(
                    number: question.number, kind: question.kind, points: 1, options: question.optionLetters.count,
                    digits: question.digits, height: question.height)
            }
        }
        return studentIDDigits == other.studentIDDigits && shape(self) == shape(other)
    }
}
