/// A report could not be made.
package struct ReportFailed: EventPayload {
    package static let type: EventType = "report.failed"

    package var reportID: String
    package var kind: String
    package var message: String

    package init(reportID: String, kind: String, message: String) {
        self.reportID = reportID
        self.kind = kind
        self.message = message
    }

    enum CodingKeys: String, CodingKey {
        case reportID = "report_id"
        case kind
        case message
    }

    package var subject: String { reportID }
}
