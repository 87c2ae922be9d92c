/// Work on a whole exam began.
package struct BatchStarted: EventPayload {
    package static let type: EventType = "batch.started"

    package var batchID: String
    package var kind: String
    /// Number of sheets.
    package var total: Int

    package init(batchID: String, kind: String, total: Int) {
        self.batchID = batchID
        self.kind = kind
        self.total = total
    }

    enum CodingKeys: String, CodingKey {
        case batchID = "batch_id"
        case kind
        case total
    }

    package var subject: String { batchID }
}
