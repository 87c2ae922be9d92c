package import Domain

/// Which part of history is to be handled again, and by whom.
///
/// A replay runs beside the live groups and moves none of them. Its effects have positions of their own, kept under the
/// group `replay:<id>`: a handler that handled an event before, live or in another replay, handles it again, and within
/// one replay its guarded effect is still made once, whatever crashes. So what a replay does to the handler's state is
/// up to the handler: one that sets (a sheet's contribution, a notification by its id) ends where it was; one that adds
/// must be given fresh state, for instance under `HandlingContext.group`. Events the handler publishes are published
/// again.
///
/// An exam's events are handled in their order, one at a time; live events of the same exam may come between.
package struct ReplayRequest: Sendable, Equatable, Codable {
    package enum Target: Sendable, Equatable, Codable {
        /// The handler `name` of the service whose group is `group`; that service does the work.
        case handler(group: String, name: String)
        /// A fresh group that begins where the range begins: see
        /// `EventBus.subscriber(replaying:replica:handlers:logger:)`.
        case temporaryGroup
    }

    package var target: Target
    package var filter: EventFilter
    /// By the time events were appended, inclusive; nil is the beginning of history.
    package var from: Timestamp?
    /// Inclusive. nil, or a time to come, is the moment the replay is requested: a replay never chases live events.
    package var to: Timestamp?
    /// Who asked for it.
    package var requestedBy: UserID?

    package init(
        target: Target, filter: EventFilter = EventFilter(), from: Timestamp? = nil, to: Timestamp? = nil,
        requestedBy: UserID? = nil
    ) {
        self.target = target
        self.filter = filter
        self.from = from
        self.to = to
        self.requestedBy = requestedBy
    }
}

package struct ReplayID: StringIdentifier {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }
}

/// What a replay would handle.
package struct ReplayCount: Sendable, Equatable {
    package var events = 0
    package var byType: [EventType: Int] = [:]
    package var exams = 0
    /// When the first and the last of them were appended.
    package var first: Timestamp?
    package var last: Timestamp?
}

/// How far a replay is.
package struct ReplayStatus: Sendable, Equatable {
    package enum State: String, Sendable, Codable {
        /// No replica has taken it yet, or the last one stopped.
        case waiting
        case running
        case completed
        case cancelled
    }

    /// An event that could not be handled, after its retries.
    package struct Failure: Sendable, Equatable {
        package var event: EventCursor
        package var error: String
    }

    package var id: ReplayID
    package var request: ReplayRequest
    package var state: State
    /// Events in the range.
    package var total: Int
    package var handled: Int
    /// Events given up; the replay went on behind them.
    package var failed: Int
    /// The first of them.
    package var failures: [Failure]
    package var requestedAt: Timestamp
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp?
    /// The replica that runs it or ran it last.
    package var replica: String?

    /// The namespace of its effects, and its consumer group when it has one.
    package var group: String { id.group }
    package var isFinished: Bool { state == .completed || state == .cancelled }
}

extension ReplayID {
    package var group: String { "replay:\(rawValue)" }
}

/// A handler that a running service offers for replays.
package struct ReplayableHandler: Sendable, Hashable, Comparable {
    package var group: String
    package var name: String

    package static func < (left: ReplayableHandler, right: ReplayableHandler) -> Bool {
        (left.group, left.name) < (right.group, right.name)
    }
}
