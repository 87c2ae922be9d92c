import Domain
import Foundation
import NIOHTTP1
import SheetSimulation
import Testing

extension EndToEndTests {
    private struct Taken: Decodable {
        struct Lease: Decodable {
            let fence: Int
        }

        let id: ReviewID
        let question: Int
        let lease: Lease
    }

    private struct Students: Decodable {
        struct Item: Decodable {
            let id: SheetID
            let status: SheetStatus
            let student: String?

            enum CodingKeys: String, CodingKey {
                case id, status
                case student = "student_id"
            }
        }

        let items: [Item]
    }

    @Test("a marker works through all reviews of an exam until every sheet is graded, and every decision is told")
    func reviews() async throws {
        let system = try await RunningSystem()
        let teacher = RESTClient(url: system.url, token: try await system.token(user: "teacher-1", role: "teacher"))
        let token = try await system.token(user: "marker-1", role: "marker")
        let marker = RESTClient(url: system.url, token: token)
        var draft = examOfFive
        draft.questions[4] = Question(number: 5, kind: .open, points: 6)
        let exam = try await create(draft, by: teacher)
        var rates = SimulationRates.clean
        rates.doubleMarks = 0.3
        let students = try (0..<4).map {
            try SimulatedSheets(exam: exam, seed: 21, rates: rates, formats: [.jpeg]).sheet($0)
        }
        let truths = Dictionary(uniqueKeysWithValues: students.map { ($0.studentID, $0) })
        let assigned = try await teacher.send(
            .PUT, "/api/exams/\(exam.id)/markers/marker-1", json: Array(#"{"questions":[1,2,3,4,5]}"#.utf8))
        #expect(assigned.status == 200, "\(assigned.text)")
        let socket = try await EventSocket.open(system.url, token: token)
        try await socket.send(
            #"{"type":"subscribe","id":"s","connection_type":"grading","exam_ids":["\#(exam.id)"]}"#)
        try await eventually("the marker is subscribed", within: 20) {
            socket.texts.contains { $0.contains(#""subscribed""#) }
        }
        _ = try await teacher.upload(students.flatMap { $0.files.map { ($0.name, $0.bytes) } }, to: exam.id)
        try await eventually("every sheet waits for people", within: 90) {
            let all: Students = try await teacher.send(.GET, "/api/exams/\(exam.id)/sheets").decode()
            return all.items.count == 4 && all.items.allSatisfy { $0.status == .review }
        }
        let all: Students = try await teacher.send(.GET, "/api/exams/\(exam.id)/sheets").decode()
        let names = Dictionary(uniqueKeysWithValues: all.items.map { ($0.id, $0.student ?? "") })
        #expect(try await marker.send(.GET, "/api/exams/\(exam.id)/sheets").status == 403)

        var settled: [ReviewID] = []
        while true {
            let answer = try await marker.send(.POST, "/api/reviews/next", json: Array("{}".utf8))
            if answer.status == 204 { break }
            try #require(answer.status == 200, "\(answer.text)")
            let review: Taken = try answer.decode()
            let image = try await marker.send(.GET, "/api/reviews/\(review.id)/image")
            #expect(image.status == 200, "\(image.text)")
            #expect(image.bytes.starts(with: [0xFF, 0xD8]))
            let sheet = try #require(review.id.parts).sheet
            let student = try #require(truths[names[sheet] ?? ""])
            let decision =
                review.question == 5
                ? #""score":\#(Self.score(of: student.studentID))"#
                : #""value":"\#(student.truth["q\(review.question)"] ?? "")""#
            let done = try await marker.send(
                .POST, "/api/reviews/\(review.id)/submit",
                json: Array(#"{"fence":\#(review.lease.fence),\#(decision)}"#.utf8))
            #expect(done.status == 200, "\(done.text)")
            settled.append(review.id)
        }
        #expect(settled.count > 4, "no choice was in doubt")
        #expect(Set(settled).count == settled.count)
        let graded: Students = try await teacher.send(.GET, "/api/exams/\(exam.id)/sheets").decode()
        #expect(graded.items.allSatisfy { $0.status == .graded })
        try await eventually("every decision is told", within: 20) {
            settled.allSatisfy { id in
                socket.texts.contains { $0.contains("grading.reviewed") && $0.contains("\"\(id)\"") }
            }
        }
        #expect(!socket.texts.contains { text in students.contains { text.contains($0.studentID) } })

        let table = try await teacher.send(.GET, "/api/exams/\(exam.id)/results.csv").text
        let rows = table.split(whereSeparator: \.isNewline).dropFirst().map(String.init)
        let expected = students.map { student in
            let points = (1...4).map { student.student.points[$0] ?? 0 } + [Self.score(of: student.studentID)]
            let cells = [Score.sum(points), 14] + points
            return ([student.studentID] + cells.map { String(Int($0)) }).joined(separator: ",")
        }
        #expect(rows.sorted() == expected.sorted())
        #expect(try await system.stop() == 0)
    }

    /// What the marker gives for the open answer.
    private static func score(of student: String) -> Double {
        Double((Int(student) ?? 0) % 7)
    }
}
