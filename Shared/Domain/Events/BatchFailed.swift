/// Work on a whole exam was given up.
package struct BatchFailed: EventPayload {
    package static let type: EventType = "batch.failed"

    package var batchID: String
    package var kind: String
    package var message: String

    package init(batchID: String, kind: String, message: String) {
        self.batchID = batchID
        self.kind = kind
        self.message = message
    }

    enum CodingKeys: String, CodingKey {
        case batchID = "batch_id"
        case kind
        case message
    }

    package var subject: String { batchID }
}
