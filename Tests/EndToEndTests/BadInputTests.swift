import Domain
import NIOHTTP1
import SheetSimulation
import Testing

extension EndToEndTests {
    @Test("bad files fail alone with their own errors, and a changed key marks the good sheets again")
    func badInputAndChangedKey() async throws {
        let system = try await RunningSystem()
        let token = try await system.token(user: "teacher-1", role: "teacher")
        let client = RESTClient(url: system.url, token: token)
        let exam = try await create(examOfFive, by: client)
        let other = try await create(examOfFive, by: client)
        let pdf = try await client.send(.GET, "/api/exams/\(exam.id)/answer-sheet.pdf")
        #expect(pdf.status == 200)
        #expect(pdf.bytes.starts(with: Array("%PDF-".utf8)))

        let good = SimulatedSheets(exam: exam, seed: 11, rates: .clean, formats: [.jpeg])
        let foreign = SimulatedSheets(exam: other, seed: 12, rates: .clean, formats: [.png])
        let students = try (0..<3).map { try good.sheet($0) }
        let whole = try #require(try good.sheet(3).files.first).bytes

        // Refused on the spot.
        let text = try await client.upload([("notes.jpg", Array("these are notes".utf8))], to: exam.id)
        #expect((400..<500).contains(text.status), "\(text.text)")
        #expect(text.text.contains("not_an_image"), "\(text.text)")
        let unknown = try await client.upload([("a.jpg", whole)], to: "nosuchexam")
        #expect(unknown.status == 404, "\(unknown.text)")

        // Taken, and failed by the reader.
        let mixed = try await client.upload(
            students.flatMap { $0.files.map { ($0.name, $0.bytes) } }
                + [
                    ("foreign.png", try #require(try foreign.sheet(0).files.first).bytes),
                    ("cut.jpg", Array(whole.prefix(whole.count / 2))),
                ], to: exam.id)
        #expect(mixed.status == 202, "\(mixed.text)")
        let upload: RESTClient.Upload = try mixed.decode()
        let accepted = upload.sheets.map(\.id)
        try await eventually("every sheet is marked or has failed", within: 60) {
            let sheets = try await sheets(of: exam.id, client)
            return sheets.count == accepted.count
                && sheets.allSatisfy { $0.status == .graded || $0.status == .review || $0.status == .failed }
        }
        let settled = try await sheets(of: exam.id, client)
        let failures = settled.filter { $0.status == .failed }.map { $0.error?.code }
        let refusals = (upload.rejected ?? []).map(\.code)
        #expect(failures.contains(.wrongExam), "\(failures)")
        #expect(failures.contains(.damagedImage) || refusals.contains("damaged_image"), "\(failures) \(refusals)")

        // The same file again is the same sheet.
        let again = try await client.upload([("again.jpg", try #require(students[0].files.first).bytes)], to: exam.id)
        let repeated: RESTClient.Upload = try again.decode()
        #expect(repeated.sheets.map(\.id) == [accepted[0]])
        #expect(repeated.sheets.first?.duplicate == true)

        try await expectResults(of: exam, students: students, client)
        let changed = try await change(keyOf: exam, client)
        try await eventually("every sheet is marked by the new key", within: 60) {
            try await system.events(types: [BatchCompleted.type]).count == 1
        }
        try await expectResults(of: changed, students: students, client)

        try await eventually("the teacher is told of the failures", within: 20) {
            try await client.send(.GET, "/api/notifications").text.contains("sheet_failed")
        }
        #expect(try await system.stop() == 0)
    }

    private func change(keyOf exam: Exam, _ client: RESTClient) async throws -> Exam {
        var changed = exam
        for index in changed.questions.indices { changed.questions[index].answer = "C" }
        let answer = try await client.send(.PUT, "/api/exams/\(exam.id)", json: try JSON.encode(changed.draft))
        #expect(answer.status == 200, "\(answer.text)")
        return changed
    }
}
