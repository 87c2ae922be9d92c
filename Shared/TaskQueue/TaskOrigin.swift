package import Domain

/// What never changes of a task besides its payload: where it comes from and how it is to be run.
///
/// Kept in one field of the task's record, as netstrings in a fixed order (`5:exam1,` and so on; https://cr.yp.to/proto/netstrings.txt),
/// because a record with few fields is found, written and given out faster. The scripts read no more of it than the
/// exam, which comes first.
package struct TaskOrigin: Sendable, Equatable {
    package var examID: ExamID?
    package var correlationID: CorrelationID
    package var causationID: String?
    package var source: String
    package var actor: UserID?
    package var traceparent: String?
    package var maxAttempts: Int?
    package var timeout: Duration?
    package var retryDelays: [Duration]?

    init(_ draft: TaskDraft) {
        examID = draft.examID
        correlationID = draft.context.correlationID
        causationID = draft.context.causationID
        source = draft.context.source
        actor = draft.context.actor
        traceparent = draft.context.traceparent
        maxAttempts = draft.maxAttempts
        timeout = draft.timeout
        retryDelays = draft.retryDelays
    }

    /// - Returns: nil when the bytes are not those of `encoded`.
    init?(encoded: [UInt8]) {
        var netstrings = Netstrings(encoded)
        guard let exam = netstrings.next(), let correlation = netstrings.next(), let causation = netstrings.next(),
            let source = netstrings.next(), let actor = netstrings.next(), let trace = netstrings.next(),
            let attempts = netstrings.next(), let timeout = netstrings.next(), let delays = netstrings.next()
        else { return nil }
        examID = exam.isEmpty ? nil : ExamID(exam)
        correlationID = CorrelationID(correlation)
        causationID = causation.isEmpty ? nil : causation
        self.source = source
        self.actor = actor.isEmpty ? nil : UserID(actor)
        traceparent = trace.isEmpty ? nil : trace
        maxAttempts = Int(attempts)
        self.timeout = Int64(timeout).map { .milliseconds($0) }
        let pauses = delays.split(separator: ",").compactMap { Int64($0).map(Duration.milliseconds) }
        retryDelays = pauses.isEmpty ? nil : pauses
    }

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(160)
        Netstrings.append(examID?.rawValue ?? "", to: &bytes)
        Netstrings.append(correlationID.rawValue, to: &bytes)
        Netstrings.append(causationID ?? "", to: &bytes)
        Netstrings.append(source, to: &bytes)
        Netstrings.append(actor?.rawValue ?? "", to: &bytes)
        Netstrings.append(traceparent ?? "", to: &bytes)
        Netstrings.append(maxAttempts.map(String.init) ?? "", to: &bytes)
        Netstrings.append(timeout.map { String($0.milliseconds) } ?? "", to: &bytes)
        let delays = retryDelays?.map { String($0.milliseconds) }.joined(separator: ",")
        Netstrings.append(delays ?? "", to: &bytes)
        return bytes
    }
}

/// Strings one after the other, each behind its length: `5:hello,`.
struct Netstrings {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// - Returns: nil at the end, and when what follows is no netstring.
    mutating func next() -> String? {
        var length = 0
        var index = position
        while index < bytes.count, case let digit = Int(bytes[index]) - 0x30, (0...9).contains(digit) {
            length = length * 10 + digit
            guard length <= bytes.count else { return nil }
            index += 1
        }
        let end = index + 1 + length
        guard index > position, end < bytes.count, bytes[index] == UInt8(ascii: ":"), bytes[end] == UInt8(ascii: ",")
        else { return nil }
        position = end + 1
        return String(decoding: bytes[(index + 1)..<end], as: UTF8.self)
    }

    static func append(_ text: String, to bytes: inout [UInt8]) {
        let text = text.utf8
        bytes.append(contentsOf: String(text.count).utf8)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(contentsOf: text)
        bytes.append(UInt8(ascii: ","))
    }
}
