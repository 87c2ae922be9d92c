import Domain
import Foundation
import Testing

extension EndToEndTests {
    @Test("one correlation id runs from the upload to the marks, and zhiyue events shows the chain")
    func correlation() async throws {
        let system = try await RunningSystem()
        let figures = try DemonstrationFigures(
            closingLineOf: try await system.demonstration(sheets: 2, questions: 12, seed: 5))
        let chain = try await system.command(
            ["events", "history", "--json", "--correlation-id", figures.correlationID])
        let types = try chain.split(separator: "\n").map { line in
            try JSONDecoder().decode(CloudEvent.self, from: Data(line.utf8)).type
        }
        let expected = ["sheet.uploaded", "ocr.started", "ocr.completed", "grading.started", "grading.completed"]
        let positions = expected.map { types.firstIndex(of: $0) ?? -1 }
        #expect(positions.allSatisfy { $0 >= 0 }, "\(types)")
        #expect(positions == positions.sorted(), "\(types)")

        let status = try await system.command(["status", "--json"])
        #expect(status.contains("\"name\":\"gateway\""))
        #expect(try await system.stop() == 0)
    }

    private struct CloudEvent: Decodable {
        let type: String
    }
}
