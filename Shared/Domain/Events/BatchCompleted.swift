/// Work on a whole exam is done.
package struct BatchCompleted: EventPayload {
    package static let type: EventType = "batch.completed"

    package var batchID: String
    package var kind: String
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
