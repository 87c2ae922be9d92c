package import Domain

/// Which events. Everything left nil or empty matches all.
package struct EventFilter: Sendable, Equatable, Codable {
    package var examID: ExamID?
    package var types: Set<EventType>
    package var correlationID: CorrelationID?

    package init(examID: ExamID? = nil, types: Set<EventType> = [], correlationID: CorrelationID? = nil) {
        self.examID = examID
        self.types = types
        self.correlationID = correlationID
    }

    package func matches(_ event: EventEnvelope) -> Bool {
        (examID == nil || event.examID == examID) && (types.isEmpty || types.contains(event.type))
            && (correlationID == nil || event.correlationID == correlationID)
    }
}

/// A range of history, oldest first.
package struct EventQuery: Sendable {
    package var filter: EventFilter
    /// By the time events were appended, inclusive.
    package var from: Timestamp?
    /// Inclusive.
    package var to: Timestamp?
    /// The `next` of the page before.
    package var cursor: EventCursor?
    /// Events of a page, 1 to 10,000.
    package var limit: Int

    package init(
        filter: EventFilter = EventFilter(), from: Timestamp? = nil, to: Timestamp? = nil, cursor: EventCursor? = nil,
        limit: Int = 100
    ) {
        self.filter = filter
        self.from = from
        self.to = to
        self.cursor = cursor
        self.limit = limit
    }
}

/// The last event looked at; history goes on behind it. Order is by position, then by partition.
package struct EventCursor: Sendable, Hashable, LosslessStringConvertible {
    package let position: StreamPosition
    package let partition: Int

    package init(position: StreamPosition, partition: Int) {
        self.position = position
        self.partition = partition
    }

    package init(_ event: StoredEvent) {
        self.init(position: event.position, partition: event.partition)
    }

    /// `1732291200125-0.3`: safe in a URL.
    package init?(_ description: String) {
        let parts = description.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let position = StreamPosition(String(parts[0])), let partition = Int(parts[1]),
            partition >= 0
        else { return nil }
        self.init(position: position, partition: partition)
    }

    package var description: String { "\(position).\(partition)" }

    /// Where to go on in `partition`, inclusive.
    func start(in partition: Int) -> StreamPosition {
        partition <= self.partition ? position.successor : position
    }
}

package struct EventPage: Sendable {
    package var events: [StoredEvent]
    /// nil when there was nothing more at the time of reading. A page may be empty and yet have a next one: a call
    /// looks at a bounded number of entries.
    package var next: EventCursor?
}
