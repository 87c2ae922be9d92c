/// Why the bus could not do something. Failures of Redis itself are thrown as `RedisError`.
package struct EventBusError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// `EVENT_PARTITIONS` differs from what the system was started with first.
        case partitionCountMismatch
        /// An option, a name or a cursor is wrong.
        case invalidArgument
        /// A stream entry is no event.
        case malformedEntry
        /// Whoever handled the event ended before the handler did.
        case poisonousEvent
        /// The publisher's buffer is full, or was for as long as the caller waits.
        case bufferFull
        /// The event was certainly not appended: the publisher was closed, or Redis was away for too long.
        case notPublished
        /// Redis answered with something the bus does not understand.
        case unexpectedReply
        /// The partition belongs to another replica by now: whatever was tried had no effect and is not to be repeated.
        case staleOwner
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
