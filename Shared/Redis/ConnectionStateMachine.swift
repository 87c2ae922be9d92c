internal import DequeModule
internal import NIOCore

/// What one connection is in the middle of: the greeting, then commands and their replies in order. Does no I/O.
///
/// `Ticket` stands for a caller; the machine only keeps tickets in order and gives them back.
struct ConnectionStateMachine<Ticket> {
    /// A command of the greeting, and what its refusal means.
    struct GreetingStep: Equatable {
        let name: String
        /// Codes of refusals which do not matter; nil when none matters.
        let toleratedRefusals: [String]?
    }

    enum ReplyAction {
        /// The reply is one of those the ticket waits for; `isLast` when it then has them all.
        case deliver(Ticket, isLast: Bool)
        /// A reply that came after its deadline.
        case discard
        case greetingContinues
        case becomeReady
        case greetingRefused(RedisServerError, step: String)
        /// Nobody asked for it: the stream is out of step and must be closed.
        case unexpected
    }

    enum DeadlineAction {
        /// Nothing is overdue; look again at `next`, or when something is sent if nil.
        case wait(next: NIODeadline?)
        /// These have waited too long for a server which otherwise replies.
        case expire([Ticket], next: NIODeadline?)
        /// The server is silent: give up the connection.
        case closeSilent
    }

    private struct Expected {
        /// Nil once the deadline passed.
        var ticket: Ticket?
        var missing: Int
        let deadline: NIODeadline
    }

    private enum State {
        case greeting(Deque<GreetingStep>)
        case ready
        case closed
    }

    private var state: State
    private var expected: Deque<Expected> = []
    private var lastReply: NIODeadline
    /// Commands sent whose replies have not come.
    private(set) var inFlight = 0
    let maxInFlight: Int

    init(greeting: [GreetingStep], maxInFlight: Int, now: NIODeadline) {
        state = greeting.isEmpty ? .ready : .greeting(Deque(greeting))
        self.maxInFlight = maxInFlight
        lastReply = now
    }

    var isReady: Bool {
        if case .ready = state { true } else { false }
    }

    /// Whether a request of `count` commands may be sent now. One larger than the limit goes alone.
    func hasRoom(for count: Int) -> Bool {
        isReady && (inFlight == 0 || inFlight + count <= maxInFlight)
    }

    /// `ticket` was sent and waits for `count` replies, at least one.
    mutating func sent(_ ticket: Ticket, count: Int, now: NIODeadline, deadline: NIODeadline) {
        if inFlight == 0 {
            // Silence counts from the first command after a rest.
            lastReply = now
        }
        expected.append(Expected(ticket: ticket, missing: count, deadline: deadline))
        inFlight += count
    }

    mutating func received(_ reply: RESPValue, now: NIODeadline) -> ReplyAction {
        lastReply = now
        switch state {
        case .greeting(var steps):
            guard let step = steps.popFirst() else { return .unexpected }
            if case .error(let error) = reply, let tolerated = step.toleratedRefusals,
                !tolerated.contains(error.prefix)
            {
                state = .closed
                return .greetingRefused(error, step: step.name)
            }
            state = steps.isEmpty ? .ready : .greeting(steps)
            return steps.isEmpty ? .becomeReady : .greetingContinues
        case .ready:
            guard let missing = expected.first?.missing else { return .unexpected }
            inFlight -= 1
            let isLast = missing == 1
            let ticket: Ticket?
            if isLast {
                ticket = expected.removeFirst().ticket
            } else {
                expected[0].missing = missing - 1
                ticket = expected[0].ticket
            }
            guard let ticket else { return .discard }
            return .deliver(ticket, isLast: isLast)
        case .closed:
            return .discard
        }
    }

    /// - Parameter silence: How long the server may say nothing while it owes a reply.
    mutating func checkDeadlines(now: NIODeadline, silence: TimeAmount) -> DeadlineAction {
        var overdue: [Ticket] = []
        for index in expected.indices {
            guard expected[index].deadline <= now else {
                let next = expected[index].deadline
                return overdue.isEmpty ? .wait(next: next) : .expire(overdue, next: next)
            }
            if now - lastReply >= silence {
                return .closeSilent
            }
            if let ticket = expected[index].ticket {
                overdue.append(ticket)
                expected[index].ticket = nil
            }
        }
        // Everything in flight was given up on, yet is still owed: watch for silence.
        let next = expected.isEmpty ? nil : lastReply + silence
        return overdue.isEmpty ? .wait(next: next) : .expire(overdue, next: next)
    }

    /// The connection is gone.
    /// - Returns: The tickets whose outcome is unknown, in order.
    mutating func close() -> [Ticket] {
        state = .closed
        inFlight = 0
        defer { expected.removeAll() }
        return expected.compactMap(\.ticket)
    }
}
