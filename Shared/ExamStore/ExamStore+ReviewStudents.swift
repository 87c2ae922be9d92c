internal import Domain
internal import EventBus
internal import Redis

/// Whose sheet it is, as a person says: each change is part of the transaction that settles the review.
extension ExamStore {
    /// Gives the sheet to a student. Pages that another sheet of the student lacks are joined to that one, which is then
    /// marked again.
    ///
    /// - Throws: `ExamStoreError` with `.studentTaken` when another sheet has the same page, and it is certain that it is the
    ///   student's.
    func give(_ number: String, to settled: inout Settling, in transaction: inout RecordTransaction) async throws {
        let (place, id) = (settled.place, settled.new.id)
        let holder = try await takeOff(&settled, for: number, in: &transaction)
        settled.new.decidedStudent = number
        settled.new.studentID = number
        if let holder,
            holder.sheet.pages.allSatisfy({ page in !settled.new.pages.contains { $0.number == page.number } })
        {
            return try await join(&settled, to: holder, number, in: &transaction)
        }
        if let holder {
            // Of two in doubt the one that was decided first counts.
            guard holder.sheet.flags.contains(.duplicatePage), holder.sheet.decidedStudent == nil else {
                throw ExamStoreError(
                    .studentTaken,
                    "the sheet \(holder.sheet.id) has this page of that student; discard one of the two")
            }
            transaction.require(
                place.sheet(holder.sheet.id), field: "revision", equals: String(holder.revision))
        }
        transaction.set(place.students, [number: id.rawValue])
        settled.new.flags.removeAll { $0 == .studentUnclear || $0 == .duplicatePage }
        try await finish(&settled, in: &transaction)
    }

    /// Puts the sheet aside as a second scan of the one the student has.
    ///
    /// - Throws: `ExamStoreError` with `.studentTaken` when the student has no other.
    func discard(
        _ settled: inout Settling, for number: String, in transaction: inout RecordTransaction
    ) async throws {
        guard let holder = try await takeOff(&settled, for: number, in: &transaction) else {
            throw ExamStoreError(.studentTaken, "that student has no other sheet that would count instead")
        }
        transaction.require(
            settled.place.sheet(holder.sheet.id), field: "revision", equals: String(holder.revision))
        try await leave(&settled, for: holder.sheet.id, in: &transaction)
    }

    /// Takes the sheet off the lists of numbers, and looks up who holds `number`.
    ///
    /// - Returns: nil when no sheet does, or the sheet itself.
    private func takeOff(
        _ settled: inout Settling, for number: String, in transaction: inout RecordTransaction
    ) async throws -> StoredSheet? {
        let (place, id) = (settled.place, settled.new.id.rawValue)
        let former = settled.sheet.sheet.studentID ?? number
        let known = try await client.send(["HMGET", place.students, number, former]).array ?? []
        transaction.require(place.students, field: number, equals: known.first?.string)
        if former != number, known.last?.string == id {
            transaction.require(place.students, field: former, equals: id)
            transaction.unset(place.students, field: former)
        }
        transaction.unset(place.doubtful, field: id)
        // Pages that are read at this moment look again whose they are.
        transaction.add(1, to: place.counters, field: "students")
        guard let holder = known.first?.string, holder != id else { return nil }
        guard let stored = try await stored(SheetID(holder)) else {
            throw ExamStoreError(.corrupt, "sheet \(holder) is listed for a student but missing")
        }
        return stored
    }

    /// Moves the pages, and the marks of people on them, to the sheet that the student has.
    private func join(
        _ settled: inout Settling, to holder: StoredSheet, _ number: String, in transaction: inout RecordTransaction
    ) async throws {
        let place = settled.place
        var joined = holder.sheet
        joined.pages = (joined.pages + settled.new.pages).sorted { ($0.number ?? 0) < ($1.number ?? 0) }
        if !joined.flags.contains(.studentUnclear) { joined.decidedStudent = number }
        for mark in settled.new.marks where mark.by != Mark.machine {
            joined.marks.removeAll { $0.question == mark.question }
            joined.marks.append(mark)
        }
        let pages = try await client.send(["HGET", place.record, "pages"]).int ?? 1
        joined.settleReading(digits: settled.exam.studentIDDigits, expectedPages: pages)
        try write(joined, over: holder, at: place, to: &transaction)
        let reading = settled.new.pages.first?.reading
        let read = OCRCompleted(
            sheetID: joined.id, uploadedAs: settled.new.id, readingVersion: joined.readingVersion,
            studentID: joined.studentID, page: reading?.page ?? 1, fields: reading?.fields.count ?? 0,
            flagged: reading?.fields.values.count { !$0.flags.isEmpty } ?? 0, milliseconds: reading?.milliseconds ?? 0)
        transaction.publish(
            try EventEnvelope(read, examID: settled.exam.id, context: settled.context), on: place.events)
        settled.new.pages = []
        try await leave(&settled, for: joined.id, in: &transaction)
    }

    /// The sheet does not stand on its own any more: neither in lists, nor in the figures, nor in what people are asked.
    private func leave(
        _ settled: inout Settling, for other: SheetID, in transaction: inout RecordTransaction
    ) async throws {
        let place = settled.place
        settled.new.joinedTo = other
        settled.new.status = .recognized
        settled.new.reviewVersion = (settled.new.reviewVersion ?? 0) + 1
        for name in settled.new.reviewTargets ?? [] where name != settled.target.name {
            guard let target = ReviewTarget(name), let old = try await stored(ReviewID(settled.new.id, target)),
                !old.record.review.isSettled
            else { continue }
            withdraw(old, target, at: place, in: &transaction)
        }
        try write(settled.new, over: settled.sheet, at: place, to: &transaction)
        transaction.add(1, to: place.counters, field: "results")
        var contribution = SheetContribution(settled.new)
        contribution.isOut = true
        try await contribute(
            contribution, of: settled.new.id, exam: settled.exam, at: place, context: settled.context, in: &transaction)
    }

    /// Takes a review back that nobody needs to decide any more.
    private func withdraw(
        _ old: StoredReview, _ target: ReviewTarget, at place: ExamPlace, in transaction: inout RecordTransaction
    ) {
        let id = old.record.review.id.rawValue
        transaction.require(place.reviews, field: id, equals: old.json)
        dequeue(old, target, at: place, in: &transaction)
        transaction.unset(place.reviews, field: id)
        transaction.remove(id, from: place.reviews(of: target.name, isSettled: false))
    }
}
