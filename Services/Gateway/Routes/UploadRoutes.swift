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
                body: .form(.uploadForm), .json(.upload, .accepted, "Taken; reading goes on."),
                problems: [.notFound, .requestTimeout, .insufficientStorage],
                repetition: .byHandler),
            use: upload)
    }

    @Sendable
    private func upload(_ call: Call) async throws -> Response {
        let (exam, files) = try await receiver.receive(call.request) { id in
            _ = try await access.exam(id, for: call.bearer, to: .edit)
        }
        // The files themselves tell one upload from another, not how they are cut into a form.
        let content = files.flatMap { file in
            [Array(file.name.utf8), Array((file.blob?.rawValue ?? "").utf8)]
        }
        return try await call.once([Array(exam.rawValue.utf8)] + content) { call in
            try await admit(files, to: exam, call)
        }
    }

    private func admit(_ files: [ReceivedFile], to exam: ExamID, _ call: Call) async throws -> Response {
        let outcome = try await admission.admit(
            files, to: exam, context: call.eventContext, logger: call.context.logger)
        call.context.logger.info(
            "upload",
            metadata: [
                "exam_id": "\(exam)", "sheets": "\(outcome.sheets.count)", "rejected": "\(outcome.rejected.count)",
            ])
        guard !outcome.sheets.isEmpty else { throw Problem.nothingTaken(outcome.rejected) }
        let document = UploadDocument(
            sheets: outcome.sheets, batches: outcome.batches, rejected: outcome.rejected,
            correlationID: call.context.correlationID)
        return try .json(document, status: .accepted)
    }
}
