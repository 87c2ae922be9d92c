/// What became of one attempt to deliver.
package struct WebhookAnswer: Equatable, Sendable {
    package enum Fault: String, Sendable {
        case addressRefused = "the address leads into a private network"
        case addressInvalid = "the address is not allowed any more"
        case unresolved = "the host was not found"
        case unreachable = "no connection could be made"
        case untrusted = "the TLS handshake failed"
        case timedOut = "no answer in time"
        case closed = "the connection was closed before an answer"
        case failed = "the request failed"
        /// Not sent at all.
        case dropped = "dropped, since too many deliveries wait"
    }

    package enum Result: Equatable, Sendable {
        /// The status of an answer.
        case status(Int)
        case fault(Fault)
    }

    package let result: Result
    package let milliseconds: Int

    package init(_ result: Result, milliseconds: Int) {
        self.result = result
        self.milliseconds = milliseconds
    }

    package var status: Int? {
        if case .status(let status) = result { status } else { nil }
    }

    package var isAccepted: Bool { status.map { (200..<300).contains($0) } ?? false }
    /// The receiver wants nothing any more.
    package var isGone: Bool { status == 410 }

    /// Short, for people; holds nothing of what the receiver sent but its status. nil when it was accepted.
    package var reason: String? {
        switch result {
        case .status(let status) where (200..<300).contains(status): nil
        case .status(let status) where (300..<400).contains(status):
            "answered \(status): redirections are not followed"
        case .status(let status): "answered \(status)"
        case .fault(let fault): fault.rawValue
        }
    }
}
