import FoundationEssentials

/// An instant in milliseconds since 1970 UTC; RFC 3339 with milliseconds in JSON.
package struct Timestamp: Hashable, Comparable, Sendable {
    package let milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    package static var now: Timestamp {
        Timestamp(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)))
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// `2026-11-22T08:15:30.125Z`
    package var rfc3339: String {
        TimestampText.text(self) ?? Self.format.format(Date(timeIntervalSince1970: Double(milliseconds) / 1000))
    }

    /// - Returns: nil when `text` is no RFC 3339 date and time in UTC.
    package init?(rfc3339 text: String) {
        if text.utf8.count == TimestampText.length {
            guard let exact = TimestampText.parse(text) else { return nil }
            self = exact
            return
        }
        guard let date = (try? Self.format.parse(text)) ?? (try? Self.wholeSeconds.parse(text)) else { return nil }
        milliseconds = Int64((date.timeIntervalSince1970 * 1000).rounded())
    }

    private static let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    private static let wholeSeconds = Date.ISO8601FormatStyle()
}

extension Timestamp: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Timestamp(rfc3339: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "expected an RFC 3339 time such as 2026-11-22T08:15:30Z")
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rfc3339)
    }
}
