package import Domain
internal import EventBus
internal import Redis

/// A finished report.
package struct ReportRecord: Codable, Equatable, Sendable {
    package var blob: BlobID
    package var bytes: Int

    package init(blob: BlobID, bytes: Int) {
        self.blob = blob
        self.bytes = bytes
    }
}

extension ExamStore {
    /// Records a finished report and reports `report.ready`, once for each content.
    ///
    /// - Throws: `ExamStoreError` with `.notFound` when there is no such exam.
    package func record(
        _ report: ReportRecord, kind: ReportTask.Kind, id: String, exam: ExamID, context: EventContext
    ) async throws {
        let place = place(of: exam)
        let key = place.reports
        try await update { () -> (RecordTransaction?, Void) in
            let old = try await client.send(["HGET", key, id])
            let new = try JSON.string(report)
            if old.string == new { return (nil, ()) }
            guard try await self.exam(exam) != nil else { throw ExamStoreError.noExam(exam) }
            var transaction = RecordTransaction()
            // What is written after the exam was cleared away would stay for ever.
            transaction.requireExisting(place.record)
            transaction.require(key, field: id, equals: old.string)
            transaction.set(key, [id: new])
            let event = ReportReady(reportID: id, kind: kind.rawValue, blob: report.blob, bytes: report.bytes)
            transaction.publish(try EventEnvelope(event, examID: exam, context: context), on: place.events)
            return (transaction, ())
        }
    }
}
