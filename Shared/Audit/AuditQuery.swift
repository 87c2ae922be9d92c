package import Domain
package import EventBus

/// The last entry looked at; a list goes on behind it. `1732291200125-0.3`: safe in a URL.
package struct AuditCursor: Sendable, Hashable, LosslessStringConvertible {
    package let position: StreamPosition
    /// The partition; their number for the refused sign-ins, one more for users.
    package let stream: Int

    package init(position: StreamPosition, stream: Int) {
        self.position = position
        self.stream = stream
    }

    package init?(_ description: String) {
        guard let cursor = EventCursor(description) else { return nil }
        self.init(position: cursor.position, stream: cursor.partition)
    }

    package var description: String { "\(position).\(stream)" }
}

extension AuditCursor: Comparable {
    package static func < (left: AuditCursor, right: AuditCursor) -> Bool {
        (left.position, left.stream) < (right.position, right.stream)
    }
}

/// Which entries. Everything left nil or empty matches all.
package struct AuditQuery: Sendable {
    package enum Order: Sendable {
        case oldestFirst, newestFirst
    }

    package var actions: Set<AuditAction>
    package var actor: String?
    package var examID: ExamID?
    package var correlationID: CorrelationID?
    /// Inclusive.
    package var from: Timestamp?
    /// Inclusive.
    package var to: Timestamp?
    package var order: Order
    /// The `next` of the page before, of the same query.
    package var cursor: AuditCursor?
    /// Entries of a page, 1 to 10,000.
    package var limit: Int

    package init(
        actions: Set<AuditAction> = [], actor: String? = nil, examID: ExamID? = nil,
        correlationID: CorrelationID? = nil, from: Timestamp? = nil, to: Timestamp? = nil,
        order: Order = .oldestFirst, cursor: AuditCursor? = nil, limit: Int = 100
    ) {
        self.actions = actions
        self.actor = actor
        self.examID = examID
        self.correlationID = correlationID
        self.from = from
        self.to = to
        self.order = order
        self.cursor = cursor
        self.limit = limit
    }

    func matches(_ entry: AuditEntry) -> Bool {
        (actions.isEmpty || actions.contains(entry.action)) && (actor == nil || entry.actor == actor)
            && (examID == nil || entry.examID == examID)
            && (correlationID == nil || entry.correlationID == correlationID)
    }
}

package struct AuditPage: Sendable {
    package var records: [AuditRecord]
    /// nil at the end. A page may be empty and yet have a next one: a call looks at a bounded number of entries.
    package var next: AuditCursor?
}
