internal import Domain

/// How numbers are compared.
enum NumericRule {
    /// A decimal number, full-width characters and spaces allowed; nil for anything else.
    static func number(from text: String) -> Double? {
        Question.number(from: TextRule.normalized(text).filter { !$0.isWhitespace })
    }

    /// - Parameter tolerance: largest accepted distance; a distance of rounding (1e-9 relative) is always accepted.
    static func accepts(_ value: Double?, key: String?, tolerance: Double) -> Bool {
        guard let value, let key = key.flatMap(Question.number) else { return false }
        return abs(value - key) <= tolerance + 1e-9 * max(1, abs(key))
    }
}
