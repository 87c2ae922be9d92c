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
    package func record(
        _ report: ReportRecord, kind: ReportTask.Kind, id: String, exam: ExamID, context: EventContext
    ) async throws {
        let place = place(of: exam)
        let key = keys.record(place.partition, "exam:\(exam):reports")
        try await update { () -> (RecordTransaction?, Void) in
            let old = try await client.send(["HGET", key, id])
            let new = try JSON.string(report)
            if old.string == new { return (nil, ()) }
            var transaction = RecordTransaction()
            transaction.require(key, field: id, equals: old.string)
            transaction.set(key, [id: new])
            let event = ReportReady(reportID: id, kind: kind.rawValue, blob: report.blob, bytes: report.bytes)
            transaction.publish(try EventEnvelope(event, examID: exam, context: context), on: place.events)
            return (transaction, ())
        }
    }
}
