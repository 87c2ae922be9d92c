import Domain
import Foundation
import NIOHTTP1
import Testing

extension EndToEndTests {
    private struct Quality: Decodable {
        struct Sheets: Decodable {
            let total: Int
            let marked: Int
            let failed: Int
        }

        struct Fields: Decodable {
            let read: Int
            let unflagged: Int
        }

        struct Question: Decodable {
            let question: Int
            let marks: Int
            let byMachine: Int

            enum CodingKeys: String, CodingKey {
                case question, marks
                case byMachine = "by_machine"
            }
        }

        let sheets: Sheets
        let fields: Fields
        let questions: [Question]
    }

    @Test("the printed report and the quality of an exam say what its table of results does")
    func reportAndQuality() async throws {
        let system = try await RunningSystem()
        let token = try await system.command(["token", "--user", "root", "--role", "admin"])
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let client = RESTClient(url: system.url, token: token)
        let figures = try DemonstrationFigures(
            closingLineOf: try await system.demonstration(sheets: 5, questions: 12, seed: 11))
        let exam = figures.examID

        let table = try await client.send(.GET, "/api/exams/\(exam)/results.csv")
        let rows = table.text.split(whereSeparator: \.isNewline).dropFirst().map { $0.split(separator: ",") }
        try #require(rows.count == 5)
        let scores = try rows.map { try #require(Double($0[1])) }.sorted()
        let mean = scores.reduce(0, +) / 5
        let deviation = (scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 5).squareRoot()
        let report = try await client.send(.GET, "/api/exams/\(exam)/report.pdf")
        #expect(report.status == 200, "\(report.text.prefix(500))")
        let lines = try await text(ofPDF: report.bytes, system).split(separator: "\n").map { $0.split(separator: " ") }
        let expected = [mean, scores[2], deviation, scores[0], scores[4]].map { String(format: "%.2f", $0) }
        #expect(lines.contains { $0.map { String($0) } == ["5"] + expected }, "\(expected) \(lines)")
        let words = Set(lines.joined())
        for row in rows { #expect(words.contains(row[0]), "\(row[0]) is not in the report") }

        let again = try await client.send(.GET, "/api/exams/\(exam)/report.pdf")
        #expect(again.bytes == report.bytes)
        let quality: Quality = try await client.send(.GET, "/api/exams/\(exam)/quality").decode()
        #expect(quality.sheets.total == 5 && quality.sheets.marked == 5 && quality.sheets.failed == 0)
        #expect(quality.fields.read >= 60 && quality.fields.unflagged <= quality.fields.read)
        #expect(quality.questions.count == 12)
        #expect(quality.questions.allSatisfy { $0.byMachine == $0.marks })

        #expect(try await system.stop() == 0)
    }

    private func text(ofPDF bytes: [UInt8], _ system: RunningSystem) async throws -> String {
        let file = system.directory.appendingPathComponent("report.pdf")
        try Data(bytes).write(to: file)
        let process = try RunningProcess("/usr/bin/pdftotext", ["-layout", file.path, "-"])
        #expect(try await process.end(within: 20) == 0, "\(process.errors)")
        return process.output
    }
}
