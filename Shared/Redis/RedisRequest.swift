internal import NIOCore

/// A caller waiting for the replies to one command or one pipeline.
///
/// `@unchecked Sendable`: the caller sets `receiver` before it hands the request over through a lock or the event
/// loop's task queue; from `accept()` on, every mutable field is touched on the event loop alone. A cancellation that
/// overtakes the hand-over only sets `isCancelledEarly`, itself touched on the event loop alone.
final class RedisRequest: @unchecked Sendable {
    typealias Outcome = Result<RESPValue, RedisError>

    /// Replies to wait for.
    let count: Int
    private let isPipeline: Bool
    /// Emptied when settled, so that a cancelled caller's bytes do not wait in the queue.
    private(set) var commands: Commands
    /// Bytes of the arguments.
    let byteCount: Int
    /// Set by a dedicated connection; otherwise given when the event loop takes the request in.
    var deadline: NIODeadline?
    var timer: Scheduled<Void>?
    private(set) var isSent = false
    private var replies: [RESPValue] = []
    private var receiver: Receiver?
    private var isAccepted = false
    private var isCancelledEarly = false

    /// One command is by far the most frequent and needs no array.
    enum Commands {
        case one(RedisCommand)
        case many([RedisCommand])
        case none
    }

    private enum Receiver {
        case caller(UnsafeContinuation<Outcome, Never>)
        case promise(EventLoopPromise<Outcome>)
    }

    init(_ command: RedisCommand, deadline: NIODeadline? = nil) {
        commands = .one(command)
        isPipeline = false
        count = 1
        byteCount = command.encodedArguments.count
        self.deadline = deadline
    }

    /// The outcome is an array of all replies.
    init(pipeline: [RedisCommand], deadline: NIODeadline? = nil) {
        commands = .many(pipeline)
        isPipeline = true
        count = pipeline.count
        byteCount = pipeline.reduce(0) { $0 + $1.encodedArguments.count }
        self.deadline = deadline
    }

    var isSettled: Bool { isAccepted && receiver == nil }

    /// Called by the caller, before the hand-over.
    func suspend(_ continuation: UnsafeContinuation<Outcome, Never>) {
        receiver = .caller(continuation)
    }

    /// Instead of `suspend`, by a caller that goes on before the outcome is there.
    func promise(_ promise: EventLoopPromise<Outcome>) {
        receiver = .promise(promise)
    }

    /// The event loop takes the request over.
    /// - Parameter deadline: Holds unless the request brought its own.
    func accept(deadline: NIODeadline) {
        isAccepted = true
        self.deadline = self.deadline ?? deadline
        if isCancelledEarly {
            settle(.failure(Self.cancelled(isSent: false)))
        }
    }

    func markSent() {
        isSent = true
        commands = .none
    }

    /// On the event loop.
    func receive(_ reply: RESPValue, isLast: Bool) {
        guard isPipeline else { return settle(.success(reply)) }
        guard receiver != nil else { return }
        if replies.isEmpty {
            replies.reserveCapacity(count)
        }
        replies.append(reply)
        if isLast {
            settle(.success(.array(replies)))
        }
    }

    /// On the event loop. A settled request ignores it.
    func settle(_ outcome: Outcome) {
        guard let receiver else { return }
        self.receiver = nil
        commands = .none
        replies = []
        timer?.cancel()
        timer = nil
        switch receiver {
        case .caller(let continuation): continuation.resume(returning: outcome)
        case .promise(let promise): promise.succeed(outcome)
        }
    }

    /// On the event loop.
    func cancel() {
        guard isAccepted else {
            isCancelledEarly = true
            return
        }
        settle(.failure(Self.cancelled(isSent: isSent)))
    }

    private static func cancelled(isSent: Bool) -> RedisError {
        isSent
            ? RedisError(.outcomeUnknown, "cancelled after the command was sent", underlying: CancellationError())
            : RedisError(.notSent, "cancelled before the command was sent", underlying: CancellationError())
    }
}
