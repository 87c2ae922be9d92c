import BlobStore
import Domain
import ExamStore
import HTTPTypes
import Hummingbird
import TaskQueue

/// What is made of an exam's marks: figures, and files by way of the batch worker.
struct ReportRoutes: Sendable {
    let store: ExamStore
    let access: ExamAccess
    let queue: TaskQueue
    let blobs: BlobStore
    /// How long a client waits for a file to be made.
    var patience: Duration = .seconds(30)
    private let files = FileIO()

    init(store: ExamStore, access: ExamAccess, queue: TaskQueue, blobs: BlobStore) {
        self.store = store
        self.access = access
        self.queue = queue
        self.blobs = blobs
    }

    func declare(in routes: RouteTable) {
        routes.on(
            .get, "/api/exams/{exam}/statistics", allow: .staff,
            Operation("Figures of an exam's marks.", .json(.statistics)),
            use: statistics)
        routes.on(
            .get, "/api/exams/{exam}/results.csv", allow: .staff,
            Operation(
                "The table of the marks as they are now.", parameters: [.ifNoneMatch],
                .content("text/csv", "A header row, and a row a student.", headers: [.eTag: "Names the content."]),
                .notModified),
            use: results)
        routes.on(
            .get, "/api/exams/{exam}/report.pdf", allow: .staff,
            Operation(
                "A report of the exam to print: figures, questions, students.", parameters: [.ifNoneMatch],
                .content("application/pdf", "The report.", headers: [.eTag: "Names the content."]), .notModified),
            use: printed)
        routes.on(
            .get, "/api/exams/{exam}/quality", allow: .staff,
            Operation(
                "How well the marking went.",
                detail: "Made of the sheets as they are now. Members may be added; what is not known is absent.",
                parameters: [.ifNoneMatch], .json(.quality, headers: [.eTag: "Names the content."]), .notModified),
            use: quality)
    }

    @Sendable
    private func statistics(_ call: Call) async throws -> Response {
        let exam = try await access.exam(call.examID, for: call.bearer)
        return try .json(try await store.statistics(exam: exam.id))
    }

    /// The table of the marks as they are now. Asked for again before a mark has changed, it is the same file.
    @Sendable
    private func results(_ call: Call) async throws -> Response {
        let exam = try await access.exam(call.examID, for: call.bearer)
        let version = try await store.resultsVersion(exam: exam.id)
        return try await file(
            .resultsCSV, version: version, of: exam, call,
            headers: [
                .contentType: "text/csv; charset=utf-8; header=present",
                .contentDisposition: ContentDisposition.attachment("\(exam.title) results.csv"),
            ])
    }

    /// The report as things are now. Asked for again before exam or sheets have changed, it is the same file.
    @Sendable
    private func printed(_ call: Call) async throws -> Response {
        let exam = try await access.exam(call.examID, for: call.bearer)
        let version = try await store.contentVersion(of: exam)
        return try await file(
            .reportPDF, version: version, of: exam, call,
            headers: [
                .contentType: "application/pdf",
                .contentDisposition: ContentDisposition.inline("\(exam.title) report.pdf"),
            ])
    }

    @Sendable
    private func quality(_ call: Call) async throws -> Response {
        let exam = try await access.exam(call.examID, for: call.bearer)
        let version = try await store.contentVersion(of: exam)
        return try await file(.quality, version: version, of: exam, call, headers: [.contentType: "application/json"])
    }

    /// Answers with a file the batch worker makes; its name is the ETag.
    private func file(
        _ kind: ReportTask.Kind, version: Int, of exam: Exam, _ call: Call, headers: HTTPFields
    ) async throws -> Response {
        let task = ReportTask(kind: kind, examID: exam.id, resultsVersion: version)
        let report = try await report(task, exam: exam, context: call.eventContext)
        var headers = headers
        headers[.eTag] = "\"\(report.blob)\""
        if let seen = call.request.headers[.ifNoneMatch], EntityTag.list(seen, matches: "\"\(report.blob)\"") {
            return Response(status: .notModified, headers: headers)
        }
        let body = try await files.loadFile(path: blobs.path(of: report.blob), context: call.context)
        return Response(status: .ok, headers: headers, body: body)
    }

    /// Has the report made, unless it was, and waits for it.
    private func report(_ task: ReportTask, exam: Exam, context: EventContext) async throws -> ReportRecord {
        let submission = try await queue.submit(task, priority: .high, examID: exam.id, context: context)
        let deadline = ContinuousClock.now + patience
        var mayRetry = !submission.isNew
        var pause: Duration = .milliseconds(10)
        while ContinuousClock.now < deadline {
            let record = try await queue.task(type: ReportTask.type, id: submission.taskID)
            switch record?.state {
            case .completed:
                guard let result = record?.result,
                    let report = try? JSON.decode(ReportRecord.self, from: JSON.encode(result)),
                    blobs.contains(report.blob)
                else { throw Self.failure("its file is missing") }
                return report
            case .failed, .cancelled:
                // A report that failed some time ago deserves another try; one that fails now does not.
                guard mayRetry else { throw Self.failure(record?.error ?? "it was cancelled") }
                mayRetry = false
                try await queue.retry(type: ReportTask.type, id: submission.taskID)
            case .ready, .scheduled, .running, .waiting, nil:
                break
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(200))
        }
        throw Problem(
            .serviceUnavailable, "report-late", "The report is not ready yet. Ask again; it goes on being made.",
            headers: [.retryAfter: "5"])
    }

    private static func failure(_ reason: String) -> Problem {
        Problem(.internalServerError, "report-failed", "The report could not be made: \(reason).")
    }
}
