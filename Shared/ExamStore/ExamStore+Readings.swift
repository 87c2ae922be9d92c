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
            let other = try await sheetOf(student, besides: id, at: place)
            var target = own
            if let number = student.certain {
                transaction.require(place.students, field: number, equals: other?.sheet.id.rawValue)
                if other == nil { transaction.set(place.students, [number: id.rawValue]) }
            }
            if var joined = other?.sheet, !joined.pages.contains(where: { $0.number == reading.page }) {
                joined.pages = (joined.pages + own.pages).sorted { ($0.number ?? 0) < ($1.number ?? 0) }
                joined.settleReading(student: student, expectedPages: pages)
                own.pages = []
                own.joinedTo = joined.id
                own.status = .recognized
                try write(joined, over: other, at: place, to: &transaction)
                target = joined
            } else {
                own.settleReading(student: student, expectedPages: pages)
                if var twin = other?.sheet {
                    // Which of the two is the student's is for a person to say, so both carry the flag.
                    own.flags.insertIfAbsent(.duplicatePage)
                    own.needsReview = true
                    if !twin.flags.contains(.duplicatePage) {
                        twin.flags.append(.duplicatePage)
                        twin.needsReview = true
                        if twin.status == .graded { twin.status = .review }
                        try write(twin, over: other, at: place, to: &transaction)
                        let request = ReviewRequested(sheetID: twin.id, questions: [], flags: twin.flags)
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
            try write(sheet, over: old, at: place, to: &transaction)
            let event = OCRFailed(sheetID: id, code: failure.code.rawValue, message: failure.message)
            transaction.publish(try EventEnvelope(event, examID: examID, context: context), on: place.events)
            return (transaction, ())
        }
    }

    private func pageCount(of exam: ExamID) async throws -> Int {
        try await client.send(["HGET", place(of: exam).record, "pages"]).int ?? 1
    }

    private func sheetOf(
        _ student: StudentNumber, besides id: SheetID, at place: ExamPlace
    ) async throws -> StoredSheet? {
        guard let number = student.certain else { return nil }
        let value = try await client.send(["HGET", place.students, number])
        guard let other = value.string, other != id.rawValue else { return nil }
        guard let stored = try await stored(SheetID(other)) else {
            throw ExamStoreError(.corrupt, "sheet \(other) is listed for a student but missing")
        }
        return stored
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
        if let coded = reading.codedStudent {
            value = coded
            // The grid of a pre-filled sheet, where it has one, must not say otherwise.
            certain = marked == nil || marked == coded ? coded : nil
        } else {
            value = marked
            let isWhole = field?.flags.isEmpty == true && marked?.count == digits
            certain = isWhole ? marked : nil
        }
    }
}

extension Sheet {
    /// Settles status and flags after a page was read; marks follow later.
    mutating func settleReading(student: StudentNumber, expectedPages: Int) {
        readingVersion += 1
        studentID = studentID ?? student.value
        status = .recognized
        let readings = pages.compactMap(\.reading)
        flags.removeAll { $0 != .duplicatePage }
        if student.certain == nil { flags.append(.studentUnclear) }
        if readings.count < expectedPages { flags.append(.missingPages) }
        if readings.contains(where: { $0.flags.contains { $0.isDoubt } }) { flags.append(.pageDoubtful) }
        if readings.contains(where: { $0.flags.contains(.blankPage) }) { flags.append(.blankPage) }
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
