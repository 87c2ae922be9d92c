import BlobStore
import Domain
import ExamStore
import ServiceKit
import TaskQueue

extension RunningGateway {
    /// The batch worker's part until it is cancelled: every report holds the name of its task.
    func makeReports() async throws {
        while !Task.isCancelled {
            let claims = try await context.queue.claim(ReportTask.type, count: 8, worker: "test").tasks
            for claim in claims {
                let bytes = Array(claim.id.rawValue.utf8)
                let report = ReportRecord(blob: try await context.blobs.store(bytes), bytes: bytes.count)
                _ = try await context.queue.complete(claim, result: try JSON.encode(report))
            }
            // Nothing comes for most tests; what does may wait a moment.
            if claims.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        }
    }
}
