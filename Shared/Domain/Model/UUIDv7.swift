import FoundationEssentials

/// A time-ordered unique identifier (RFC 9562, version 7).
package struct UUIDv7: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    /// - Parameter time: the instant whose milliseconds make up the first 48 bits.
    package static func make(at time: Timestamp = .now) -> UUIDv7 {
        var generator = SystemRandomNumberGenerator()
        let random = generator.next()
        let high = UInt64(bitPattern: time.milliseconds) << 16 | 0x7000 | (random >> 52)
        let low = 0x8000_0000_0000_0000 | (generator.next() >> 2)
        return UUIDv7(high: high, low: low)
    }

    /// 8-4-4-4-12 lower-case hexadecimal.
    package var string: String {
        let digits = Array(compactString)
        return [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
            .map { String($0) }.joined(separator: "-")
    }

    /// 32 lower-case hexadecimal digits.
    package var compactString: String {
        Self.hexadecimal(high) + Self.hexadecimal(low)
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
