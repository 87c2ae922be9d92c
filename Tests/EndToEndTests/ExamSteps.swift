import Domain
import Foundation
import Grading
import NIOHTTP1
import SheetSimulation
import Testing

/// What several tests do with exams and their sheets.
extension EndToEndTests {
    private struct Created: Decodable {
        let id: ExamID
    }

    struct Listing: Decodable {
        struct Item: Decodable {
            let id: SheetID
            let status: SheetStatus
            let error: ReadingFailure?
        }

        let items: [Item]
    }

    var examOfFive: ExamDraft {
        ExamDraft(
            title: "五题 Five questions", subject: "test", studentIDDigits: 6,
            questions: (1...5).map { Question(number: $0, kind: .singleChoice, points: 2, options: 4, answer: "B") })
    }

    func create(_ draft: ExamDraft, by client: RESTClient) async throws -> Exam {
        let answer = try await client.send(.POST, "/api/exams", json: try JSON.encode(draft))
        #expect(answer.status == 201, "\(answer.text)")
        let created: Created = try answer.decode()
        return Exam(
            id: created.id, draft: draft, owner: "teacher-1", createdAt: .now, updatedAt: .now, version: 1,
            keyVersion: 1)
    }

    func sheets(of exam: ExamID, _ client: RESTClient) async throws -> [Listing.Item] {
        let listing: Listing = try await client.send(.GET, "/api/exams/\(exam)/sheets?limit=500").decode()
        return listing.items
    }

    /// The results table holds exactly what the students' answers earn by the key of `exam`.
    func expectResults(of exam: Exam, students: [SimulatedSheet], _ client: RESTClient) async throws {
        let table = try await client.send(.GET, "/api/exams/\(exam.id)/results.csv")
        #expect(table.status == 200, "\(table.text)")
        let rows = table.text.split(whereSeparator: \.isNewline).map(String.init)
        #expect(rows.first == "student_id,score,max_score,q1,q2,q3,q4,q5")
        let expected = students.map { sheet in
            let marks = exam.questions.map { question in
                Grader.mark(
                    question,
                    reading: FieldReading(value: sheet.truth[question.fieldName] ?? "", confidence: 1)
                ).score ?? 0
            }
            let cells = [Score.sum(marks), exam.maxScore] + marks
            return ([sheet.studentID] + cells.map { String(Int($0)) }).joined(separator: ",")
        }
        #expect(rows.dropFirst().sorted() == expected.sorted())
    }
}
