package import Domain
internal import Redis

/// A student's result in a published exam.
package struct StudentResult: Sendable {
    package var exam: Exam
    package var sheet: SheetSummary
}

extension ExamStore {
    /// The results of a student in published exams, the latest published first.
    ///
    /// - Parameter limit: 1 to 200. A page may hold fewer before the end of the list, since exams the student did not
    ///   sit are passed over; a call passes over a few thousand at most.
    package func results(student: String, cursor: String?, limit: Int) async throws -> Page<StudentResult> {
        var next = cursor
        for _ in 0..<20 {
            let page = try await exams(cursor: next, limit: limit) { self.keys.record($0, "published") }
            next = page.nextCursor
            let sheets = try await client.pipeline(
                page.items.map { ["HGET", place(of: $0.id).students, student] })
            var results: [StudentResult] = []
            for (exam, reply) in zip(page.items, sheets) {
                guard let id = reply.string, let result = try await result(SheetID(id), student: student, in: exam)
                else { continue }
                results.append(result)
            }
            if !results.isEmpty || next == nil { return Page(items: results, nextCursor: next) }
        }
        return Page(items: [], nextCursor: next)
    }

    /// The student's sheet in an exam; nil when the exam is not published or has none.
    package func result(student: String, exam id: ExamID) async throws -> StudentResult? {
        guard let exam = try await exam(id),
            let sheet = try await client.send(["HGET", place(of: id).students, student]).string
        else { return nil }
        return try await result(SheetID(sheet), student: student, in: exam)
    }

    private func result(_ id: SheetID, student: String, in exam: Exam) async throws -> StudentResult? {
        guard exam.publishedAt != nil else { return nil }
        let value = try await client.send(["HGET", place(of: exam.id).sheet(id), "summary"])
        guard !value.isNull else { return nil }
        let sheet = try decode(SheetSummary.self, value, of: "sheet \(id)")
        return sheet.studentID == student ? StudentResult(exam: exam, sheet: sheet) : nil
    }
}
