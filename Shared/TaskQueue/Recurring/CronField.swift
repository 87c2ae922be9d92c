/// One of the five fields of a cron expression: which values it allows.
struct CronField: Sendable, Equatable {
    enum Kind: String, Sendable {
        case minute
        case hour
        case dayOfMonth = "day-of-month"
        case month
        case dayOfWeek = "day-of-week"

        /// What may be written. Both 0 and 7 are Sunday.
        var range: ClosedRange<Int> {
            switch self {
            case .minute: 0...59
            case .hour: 0...23
            case .dayOfMonth: 1...31
            case .month: 1...12
            case .dayOfWeek: 0...7
            }
        }

        /// What `*` stands for.
        var all: ClosedRange<Int> { self == .dayOfWeek ? 0...6 : range }

        var names: [String] {
            switch self {
            case .minute, .hour, .dayOfMonth: []
            case .month:
                ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
            case .dayOfWeek: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
            }
        }

        fileprivate var allowed: String {
            let names = names
            let named =
                if let first = names.first, let last = names.last {
                    " or \(first.uppercased()) to \(last.uppercased())"
                } else {
                    ""
                }
            return
                "allowed are \(range.lowerBound) to \(range.upperBound)\(named), *, a-b, a-b/n, */n and lists of them"
        }
    }

    /// Bit n is set when n is allowed; Sunday is bit 0.
    let mask: UInt64
    /// The field begins with `*`, also as in `*/2`; see ``CronExpression`` for what that decides.
    let isStarred: Bool

    /// How many values are allowed.
    var count: Int { mask.nonzeroBitCount }

    func allows(_ value: Int) -> Bool { mask & (1 << UInt64(value)) != 0 }

    /// The least allowed value from `value` on.
    func first(from value: Int) -> Int? {
        guard value < 64 else { return nil }
        let rest = mask >> UInt64(value)
        return rest == 0 ? nil : value + rest.trailingZeroBitCount
    }

    init(_ text: Substring, _ kind: Kind) throws(TaskQueueError) {
        var mask: UInt64 = 0
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let values = Self.values(item, kind) else {
                throw TaskQueueError(
                    .invalid,
                    "the \(kind.rawValue) field of the cron expression has \(String(item).debugDescription): "
                        + kind.allowed)
            }
            for value in values {
                mask |= 1 << UInt64(kind == .dayOfWeek ? value % 7 : value)
            }
        }
        self.mask = mask
        isStarred = text.utf8.first == UInt8(ascii: "*")
    }

    private static func values(_ item: Substring, _ kind: Kind) -> StrideThrough<Int>? {
        let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let base = parts.first else { return nil }
        var step: Int?
        if parts.count == 2 {
            guard let number = number(parts[1]), (1...kind.all.count).contains(number) else { return nil }
            step = number
        }
        if base == "*" {
            return stride(from: kind.all.lowerBound, through: kind.all.upperBound, by: step ?? 1)
        }
        let bounds = base.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let lowerText = bounds.first, let lower = value(lowerText, kind) else { return nil }
        guard bounds.count == 2 else {
            // `5/15` means different things to different crons, so it is refused.
            return step == nil ? stride(from: lower, through: lower, by: 1) : nil
        }
        guard var upper = value(bounds[1], kind) else { return nil }
        if kind == .dayOfWeek, upper == 0, lower > 0 {
            // FRI-SUN: as an end, Sunday is the last day.
            upper = 7
        }
        guard lower <= upper else { return nil }
        return stride(from: lower, through: upper, by: step ?? 1)
    }

    private static func value(_ text: Substring, _ kind: Kind) -> Int? {
        if let number = number(text) {
            return kind.range.contains(number) ? number : nil
        }
        guard text.utf8.count == 3, let index = kind.names.firstIndex(of: text.lowercased()) else { return nil }
        return kind.range.lowerBound + index
    }

    /// A number of one to four digits; more are out of every range.
    private static func number(_ text: Substring) -> Int? {
        guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }
}
