package import Domain
internal import EventBus
internal import Redis

extension ExamStore {
    /// Records what was read on the page image uploaded as `id`, and joins it to the student's sheet if other pages of
    /// the student were read before.
    ///
    /// Idempotent: a page that has a reading keeps it, and no event is published again.
    /// - Returns: the sheet the page belongs to now.
    /// - Throws: `ExamStoreError` with `.notFound`.
    package func record(_ reading: PageReading, of id: SheetID, context: EventContext) async throws -> SheetID {
        guard let examID = id.examID else { throw ExamStoreError.noSheet(id) }
        let place = place(of: examID)
        return try await update { () -> (RecordTransaction?, SheetID) in
            guard let exam = try await exam(examID) else { throw ExamStoreError.noExam(examID) }
            guard let uploaded = try await stored(id) else { throw ExamStoreError.noSheet(id) }
            if let joined = uploaded.sheet.joinedTo { return (nil, joined) }
            if uploaded.sheet.pages.first?.reading != nil { return (nil, id) }
            let pages = try await pageCount(of: examID)
            let student = StudentNumber(reading: reading, digits: exam.studentIDDigits)

            var transaction = RecordTransaction()
            var own = uploaded.sheet
            own.error = nil
            if !own.pages.isEmpty {
                own.pages[0].number = reading.page
                own.pages[0].reading = reading
            }
            let other = try await sheet(of: student, lacking: reading.page, besides: id, at: place, in: &transaction)
            var target = own
            if var joined = other?.sheet, !joined.pages.contains(where: { $0.number == reading.page }) {
                joined.pages = (joined.pages + own.pages).sorted { ($0.number ?? 0) < ($1.number ?? 0) }
                joined.settleReading(digits: exam.studentIDDigits, expectedPages: pages)
                // The page counts when its new sheet is marked.
                joined.batches = (joined.batches ?? []) + (own.batches ?? [])
                own.batches = nil
                own.pages = []
                own.joinedTo = joined.id
                own.status = .recognized
                try write(joined, over: other, at: place, to: &transaction)
                target = joined
            } else {
                own.settleReading(digits: exam.studentIDDigits, expectedPages: pages)
                if var twin = other?.sheet {
                    // Which of the two is the student's is for a person to say, so both carry the flag.
                    own.flags.insertIfAbsent(.duplicatePage)
                    own.needsReview = true
                    if !twin.flags.contains(.duplicatePage) {
                        twin.flags.append(.duplicatePage)
                        twin.needsReview = true
                        if twin.isMarked {
                            twin.status = twin.markedStatus
                            try await settleReviews(of: &twin, exam: exam, at: place, in: &transaction)
                        }
                        try write(twin, over: other, at: place, to: &transaction)
                        let request = ReviewRequested(
                            sheetID: twin.id, questions: [], flags: twin.flags, reviewVersion: twin.reviewVersion)
                        transaction.publish(
                            try EventEnvelope(request, examID: examID, context: context), on: place.events)
                    }
                }
                target = own
            }
            try write(own, over: uploaded, at: place, to: &transaction)
            let event = OCRCompleted(
                sheetID: target.id, uploadedAs: id, readingVersion: target.readingVersion,
                studentID: target.studentID, page: reading.page, fields: reading.fields.count,
                flagged: reading.fields.values.count { !$0.flags.isEmpty }, milliseconds: reading.milliseconds)
            transaction.publish(try EventEnvelope(event, examID: examID, context: context), on: place.events)
            return (transaction, target.id)
        }
    }

    /// Records that the page image uploaded as `id` cannot be read. Idempotent; a page that was read stays read.
    package func record(_ failure: ReadingFailure, of id: SheetID, context: EventContext) async throws {
        guard let examID = id.examID else { throw ExamStoreError.noSheet(id) }
        let place = place(of: examID)
        try await update { () -> (RecordTransaction?, Void) in
            guard let old = try await stored(id) else { throw ExamStoreError.noSheet(id) }
            if old.sheet.status != .uploaded && old.sheet.status != .failed { return (nil, ()) }
            if old.sheet.error == failure { return (nil, ()) }
            var sheet = old.sheet
            sheet.status = .failed
            sheet.needsReview = true
            sheet.error = failure
            var transaction = RecordTransaction()
            try await countPages(of: &sheet, at: place, context: context, in: &transaction)
            try write(sheet, over: old, at: place, to: &transaction)
            let event = OCRFailed(sheetID: id, code: failure.code.rawValue, message: failure.message)
            transaction.publish(try EventEnvelope(event, examID: examID, context: context), on: place.events)
            return (transaction, ())
        }
    }

    private func pageCount(of exam: ExamID) async throws -> Int {
        try await client.send(["HGET", place(of: exam).record, "pages"]).int ?? 1
    }

    /// The sheet that a page of `student` belongs to, besides the one it was uploaded as; the page's student is put on
    /// the lists of the exam as well.
    ///
    /// A certain number names its sheet. Of a doubtful one, all that could be read must fit: a page is joined to the only
    /// sheet it can belong to, and stays alone if there are several. The counters keep a doubtful page and a certain one
    /// that arrive at the same moment from missing each other.
    private func sheet(
        of student: StudentNumber, lacking page: Int, besides id: SheetID, at place: ExamPlace,
        in transaction: inout RecordTransaction
    ) async throws -> StoredSheet? {
        let counters = try await client.send(["HMGET", place.counters, "students", "doubtful"]).array ?? []
        if let number = student.certain {
            let known = try await client.send(["HGET", place.students, number]).string
            transaction.require(place.students, field: number, equals: known)
            if let known {
                guard known != id.rawValue else { return nil }
                guard let stored = try await stored(SheetID(known)) else {
                    throw ExamStoreError(.corrupt, "sheet \(known) is listed for a student but missing")
                }
                return stored
            }
            transaction.require(place.counters, field: "doubtful", equals: counters.last?.string)
            transaction.add(1, to: place.counters, field: "students")
            let doubtful = try await client.send(["HGETALL", place.doubtful]).fields ?? []
            let candidates = doubtful.filter { $0.value.string.map { StudentNumber.fits($0, number) } ?? false }
            let fitting = try await sheets(candidates.map(\.name), lacking: page, besides: id)
            let found = fitting.count == 1 ? fitting[0] : nil
            transaction.set(place.students, [number: (found?.sheet.id ?? id).rawValue])
            if let found { transaction.unset(place.doubtful, field: found.sheet.id.rawValue) }
            return found
        }
        guard let value = student.value else { return nil }
        transaction.require(place.counters, field: "students", equals: counters.first?.string)
        transaction.add(1, to: place.counters, field: "doubtful")
        let known = try await client.send(["HGETALL", place.students]).fields ?? []
        let candidates = known.filter { StudentNumber.fits(value, $0.name) }.compactMap(\.value.string)
        let fitting = try await sheets(candidates, lacking: page, besides: id)
        if fitting.count == 1 { return fitting[0] }
        transaction.set(place.doubtful, [id.rawValue: value])
        return nil
    }

    private func sheets(_ ids: [String], lacking page: Int, besides id: SheetID) async throws -> [StoredSheet] {
        var found: [StoredSheet] = []
        for candidate in ids where candidate != id.rawValue {
            guard let stored = try await stored(SheetID(candidate)), stored.sheet.joinedTo == nil,
                !stored.sheet.pages.contains(where: { $0.number == page })
            else { continue }
            found.append(stored)
        }
        return found
    }
}

/// Whose page it is, as far as the page tells.
struct StudentNumber: Equatable {
    /// What was read, doubtful or not; nil when nothing.
    let value: String?
    /// The number when there is no doubt about it.
    let certain: String?

    init(reading: PageReading, digits: Int) {
        let field = reading.fields["student_id"]
        let marked = field?.value.isEmpty == false ? field?.value : nil
        if let coded = reading.codedStudent, !coded.isEmpty {
            value = coded
            // The grid of a pre-filled sheet, where it has one, must not say otherwise.
            certain = marked == nil || marked == coded ? coded : nil
        } else {
            value = marked
            let isWhole = field?.flags.isEmpty == true && marked?.count == digits && marked?.contains("?") == false
            certain = isWhole ? marked : nil
        }
    }

    /// True when `doubtful` may be `number`: no digit that was read contradicts it, and at least half were read.
    static func fits(_ doubtful: String, _ number: String) -> Bool {
        doubtful.count == number.count && doubtful.count { $0 == "?" } * 2 <= number.count
            && zip(doubtful, number).allSatisfy { $0 == "?" || $0 == $1 }
    }
}

extension Sheet {
    /// Settles status and flags after a page was read; marks follow later.
    mutating func settleReading(digits: Int, expectedPages: Int) {
        readingVersion += 1
        status = .recognized
        let readings = pages.compactMap(\.reading)
        let students = readings.map { StudentNumber(reading: $0, digits: digits) }
        studentID =
            decidedStudent ?? students.compactMap(\.certain).first ?? students.compactMap(\.value).first
        flags.removeAll { $0 != .duplicatePage }
        if decidedStudent == nil, students.contains(where: { $0.certain == nil }) { flags.append(.studentUnclear) }
        if readings.count < expectedPages { flags.append(.missingPages) }
        let doubtful = pages.filter { $0.isConfirmed != true }.compactMap(\.reading)
        if doubtful.contains(where: { $0.flags.contains { $0.isDoubt } }) { flags.append(.pageDoubtful) }
        if doubtful.contains(where: { $0.flags.contains(.blankPage) }) { flags.append(.blankPage) }
        needsReview = !flags.isEmpty || fields.values.contains { $0.flags.contains { MarkFlag($0).needsReview } }
    }
}

extension PageFlag {
    /// True when positions or identity were inferred on thin grounds.
    fileprivate var isDoubt: Bool {
        switch self {
        case .codeUnreadable, .cornersGuessed, .misaligned, .lowResolution: true
        case .cornerMarkMissing, .blankPage: false
        }
    }
}

extension [SheetFlag] {
    fileprivate mutating func insertIfAbsent(_ flag: SheetFlag) {
        if !contains(flag) { append(flag) }
    }
}
