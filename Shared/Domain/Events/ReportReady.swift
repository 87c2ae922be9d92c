/// A report can be fetched.
package struct ReportReady: EventPayload {
    package static let type: EventType = "report.ready"

    package var reportID: String
    package var kind: String
    package var blob: BlobID
    package var bytes: Int

    package init(reportID: String, kind: String, blob: BlobID, bytes: Int) {
        self.reportID = reportID
        self.kind = kind
        self.blob = blob
        self.bytes = bytes
    }

    enum CodingKeys: String, CodingKey {
        case reportID = "report_id"
        case kind
        case blob
        case bytes
    }

    package var subject: String { reportID }
}
