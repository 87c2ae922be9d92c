import BlobStore
import Domain
import Hummingbird
import Logging

/// `POST /api/upload`: scans of an exam's sheets.
struct UploadRoutes: Sendable {
    let access: ExamAccess
    let receiver: UploadReceiver
    let admission: UploadAdmission

    func declare(in routes: RouteTable) {
        routes.on(
            .post, "/api/upload", allow: .staff,
            Operation(
                "Uploads scans of an exam's sheets.",
                detail:
                    "Each page becomes a sheet that is read and marked by and by; the same page again is the same sheet.",
                body: .form(.uploadForm), .json(.upload, .accepted, "Taken; reading goes on."), problems: [.notFound]),
            use: upload)
    }

    @Sendable
    private func upload(_ call: Call) async throws -> Response {
        let (exam, files) = try await receiver.receive(call.request) { id in
            _ = try await access.exam(id, for: call.bearer)
        }
        let (sheets, rejected) = try await admission.admit(files, to: exam, context: call.eventContext)
        call.context.logger.info(
            "upload", metadata: ["exam_id": "\(exam)", "sheets": "\(sheets.count)", "rejected": "\(rejected.count)"])
        guard !sheets.isEmpty else { throw Problem.nothingTaken(rejected) }
        let document = UploadDocument(
            sheets: sheets, rejected: rejected, correlationID: call.context.correlationID)
        return try .json(document, status: .accepted)
    }
}
