/// Work on a whole exam went on.
package struct BatchProgress: EventPayload {
    package static let type: EventType = "batch.progress"

    package var batchID: String
    package var kind: String
    package var done: Int
    package var total: Int

    package init(batchID: String, kind: String, done: Int, total: Int) {
        self.batchID = batchID
        self.kind = kind
        self.done = done
        self.total = total
    }

    enum CodingKeys: String, CodingKey {
        case batchID = "batch_id"
        case kind
        case done
        case total
    }

    package var subject: String { batchID }
}
