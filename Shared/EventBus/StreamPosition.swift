/// The id of a stream entry: the server's milliseconds when it was appended, and a number within that millisecond.
/// Positions of one partition are ordered as their events are; those of different partitions by time only.
package struct StreamPosition: Hashable, Sendable {
    package let milliseconds: UInt64
    package let sequence: UInt64

    package init(milliseconds: UInt64, sequence: UInt64 = 0) {
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    /// Before every event.
    package static let zero = StreamPosition(milliseconds: 0, sequence: 0)
    /// After every event.
    package static let max = StreamPosition(milliseconds: .max, sequence: .max)

    /// The next greater one.
    package var successor: StreamPosition {
        if sequence < .max { return StreamPosition(milliseconds: milliseconds, sequence: sequence + 1) }
        return milliseconds < .max ? StreamPosition(milliseconds: milliseconds + 1) : .max
    }

    /// The next smaller one; that of zero is zero.
    package var predecessor: StreamPosition {
        if sequence > 0 { return StreamPosition(milliseconds: milliseconds, sequence: sequence - 1) }
        return milliseconds > 0 ? StreamPosition(milliseconds: milliseconds - 1, sequence: .max) : .zero
    }
}

extension StreamPosition: Comparable {
    package static func < (left: StreamPosition, right: StreamPosition) -> Bool {
        (left.milliseconds, left.sequence) < (right.milliseconds, right.sequence)
    }
}

extension StreamPosition: LosslessStringConvertible {
    package var description: String { "\(milliseconds)-\(sequence)" }

    /// - Parameter description: `1732291200125-0`; the sequence may be left out.
    package init?(_ description: String) {
        self.init(bytes: description.utf8)
    }

    /// - Parameter bytes: ASCII digits, `-`, ASCII digits.
    init?(bytes: some Collection<UInt8>) {
        var parts: (UInt64, UInt64) = (0, 0)
        var digits = 0
        var isSequence = false
        for byte in bytes {
            if byte == UInt8(ascii: "-"), !isSequence, digits > 0 {
                isSequence = true
                digits = 0
                continue
            }
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let part = isSequence ? parts.1 : parts.0
            let (product, tooLarge) = part.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            guard !tooLarge, !overflow else { return nil }
            if isSequence {
                parts.1 = sum
            } else {
                parts.0 = sum
            }
            digits += 1
        }
        guard digits > 0 else { return nil }
        self.init(milliseconds: parts.0, sequence: parts.1)
    }
}
