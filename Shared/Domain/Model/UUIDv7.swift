internal import Glibc
internal import Synchronization

/// A time-ordered unique identifier (RFC 9562, version 7).
package struct UUIDv7: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    /// - Parameter time: the instant whose milliseconds make up the first 48 bits.
    package static func make(at time: Timestamp = .now) -> UUIDv7 {
        let (first, second) = RandomWords.next()
        let high = UInt64(bitPattern: time.milliseconds) << 16 | 0x7000 | (first >> 52)
        let low = 0x8000_0000_0000_0000 | (second >> 2)
        return UUIDv7(high: high, low: low)
    }

    /// 8-4-4-4-12 lower-case hexadecimal.
    package var string: String { hexadecimal(hyphens: true) }

    /// 32 lower-case hexadecimal digits.
    package var compactString: String { hexadecimal(hyphens: false) }

    // Every event, task and request gets one: character by character this would be half of what an event costs.
    private func hexadecimal(hyphens: Bool) -> String {
        String(unsafeUninitializedCapacity: hyphens ? 36 : 32) { text in
            var place = 0
            for digit in 0..<32 {
                if hyphens, digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                    text[place] = UInt8(ascii: "-")
                    place += 1
                }
                let word = digit < 16 ? high : low
                let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - digit % 16 * 4)) & 15
                text[place] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
                place += 1
            }
            return place
        }
    }
}

/// Random numbers of the system, fetched a page at a time, since each fetch is a system call.
private enum RandomWords {
    /// 256 bytes, the most that one call gives.
    private static let page = 32

    private static let words = Mutex<[UInt64]>([])

    static func next() -> (UInt64, UInt64) {
        words.withLock { words in
            if words.isEmpty { fill(&words) }
            return (words.removeLast(), words.removeLast())
        }
    }

    private static func fill(_ words: inout [UInt64]) {
        words = [UInt64](repeating: 0, count: page)
        let status = words.withUnsafeMutableBytes { getentropy($0.baseAddress, $0.count) }
        guard status != 0 else { return }
        // A kernel without the call.
        var generator = SystemRandomNumberGenerator()
        for index in words.indices { words[index] = generator.next() }
    }
}
