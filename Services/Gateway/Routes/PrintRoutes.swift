import AnswerSheet
import Domain
import ExamStore
import Hummingbird

/// What is printed for an exam: the layout of its answer sheet, and the sheet itself.
struct PrintRoutes: Sendable {
    let store: ExamStore
    let access: ExamAccess
    let printer = SheetPrinter()

    func declare(in routes: RouteTable) {
        routes.on(
            .get, "/api/exams/{exam}/layout", allow: .staff,
            Operation(
                "Where everything is on the answer sheet.", detail: "In millimetres; x and y are centres.",
                .json(.layout)),
            use: layout)
        routes.on(
            .get, "/api/exams/{exam}/answer-sheet.pdf", allow: .staff,
            Operation("Prints the answer sheet.", .content("application/pdf", "The sheet.")),
            use: answerSheet)
    }

    @Sendable
    private func layout(_ call: Call) async throws -> Response {
        let exam = try await access.exam(call.examID, for: call.bearer)
        return try .json(try await storedLayout(of: exam))
    }

    @Sendable
    private func answerSheet(_ call: Call) async throws -> Response {
        let exam = try await access.exam(call.examID, for: call.bearer)
        let layout = try await storedLayout(of: exam)
        let bytes = try await printer.print(PrintJob(layouts: [layout], title: exam.title), logger: call.context.logger)
        let name = ContentDisposition.inline("\(exam.title) answer sheet.pdf")
        return .bytes(bytes, type: "application/pdf", headers: [.contentDisposition: name])
    }

    private func storedLayout(of exam: Exam) async throws -> SheetLayout {
        guard let layout = try await store.layout(of: exam.id) else { throw Problem.notFound("exam", exam.id) }
        return layout
    }
}
