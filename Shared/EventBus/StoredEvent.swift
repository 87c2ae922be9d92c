package import Domain

/// An event where it is kept.
package struct StoredEvent: Sendable, Equatable {
    package var position: StreamPosition
    package var partition: Int
    package var event: EventEnvelope
    /// Set when the entry is a dead letter brought back: only this group is to handle it again. The other groups, the
    /// history and tails have seen the event at its first position.
    package var onlyGroup: String?
    /// How `event.data` is encoded; nil when it is what the publisher gave.
    var encoding: String?
    /// Whether the data is in the partition's second stream.
    var isAside = false

    package init(position: StreamPosition, partition: Int, event: EventEnvelope, onlyGroup: String? = nil) {
        self.position = position
        self.partition = partition
        self.event = event
        self.onlyGroup = onlyGroup
    }
}
