/// How a publisher behaves while Redis is slow or away.
package struct EventPublisherConfiguration: Sendable {
    package enum FullPolicy: Sendable {
        /// `publish` waits for room, at most `timeout`.
        case wait
        /// `publish` throws `.bufferFull` at once.
        case fail
    }

    package var whenFull = FullPolicy.wait
    /// Events that may wait to be appended or to be answered, 1 or more.
    package var maxEvents = 8192
    /// Bytes of their data, about. An event larger than that is taken when nothing else waits.
    package var maxBytes = 16 << 20
    /// How long Redis may take to append an event, and how long a caller waits for room.
    package var timeout: Duration = .seconds(30)
    /// Events of one write.
    package var batch = 256

    package init() {}
}

/// What a publisher has done since it was made.
package struct EventPublisherStatistics: Sendable, Equatable {
    /// Events appended and answered.
    package var published = 0
    /// Those whose reply was lost and that were found in the stream.
    package var found = 0
    /// Those whose reply was lost, or that Redis refused for a while, and that were sent again.
    package var repeated = 0
    /// Calls that ended with an error.
    package var failed = 0
    /// Events that wait now.
    package var buffered = 0
}
