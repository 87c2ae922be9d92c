package import Domain

/// An event a group could not handle.
package struct DeadLetter: Sendable {
    /// Where the dead letter is; its time is when the group gave up.
    package var id: DeadLetterID
    package var group: String
    package var handler: String
    package var error: String
    /// Tries before the group gave up.
    package var deliveries: Int
    /// Where the event was.
    package var original: StreamPosition
    /// nil when the event had been trimmed, or is none.
    package var event: EventEnvelope?
}

/// `1732291200125-0.3`: position in the dead letters, and partition. Their order is that of the failures.
package struct DeadLetterID: Sendable, Hashable, LosslessStringConvertible {
    package let position: StreamPosition
    package let partition: Int

    package init(position: StreamPosition, partition: Int) {
        self.position = position
        self.partition = partition
    }

    package init?(_ description: String) {
        guard let cursor = EventCursor(description) else { return nil }
        self.init(position: cursor.position, partition: cursor.partition)
    }

    package var description: String { "\(position).\(partition)" }
}

/// Which dead letters.
package struct DeadLetterQuery: Sendable {
    package var group: String?
    package var filter: EventFilter
    /// The `next` of the page before.
    package var cursor: EventCursor?
    /// Dead letters of a page, 1 to 10,000.
    package var limit: Int

    package init(
        group: String? = nil, filter: EventFilter = EventFilter(), cursor: EventCursor? = nil, limit: Int = 100
    ) {
        self.group = group
        self.filter = filter
        self.cursor = cursor
        self.limit = limit
    }
}

package struct DeadLetterPage: Sendable {
    package var deadLetters: [DeadLetter]
    /// nil when there was nothing more.
    package var next: EventCursor?
}
