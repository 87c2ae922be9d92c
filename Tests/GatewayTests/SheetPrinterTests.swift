import AnswerSheet
import Domain
import HTTPTypes
import Logging
import Testing

@testable import Gateway

@Suite struct SheetPrinterTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let job = PrintJob(
        layouts: [
            SheetLayout(pages: [LayoutPage(number: 1, width: 210, height: 297, cornerMarks: [], code: nil, fields: [])])
        ],
        title: "期中考试")

    @Test func `a job becomes a PDF`() async throws {
        let pdf = try await SheetPrinter().print(job, logger: logger)
        #expect(pdf.starts(with: Array("%PDF-".utf8)))
    }

    @Test(arguments: ["/nonexistent/sheet-printer", "/bin/false", "/bin/true"])
    func `a printer that is missing, fails or prints nothing is a problem to try again later`(
        path: String
    ) async throws {
        let problem = await #expect(throws: Problem.self) {
            try await SheetPrinter(path: path).print(job, logger: logger)
        }
        #expect(problem?.status == .serviceUnavailable && problem?.code == "printing-failed")
        #expect(problem?.headers[HTTPField.Name.retryAfter] == "10")
        #expect(problem?.detail.contains(path) == false)
    }
}
