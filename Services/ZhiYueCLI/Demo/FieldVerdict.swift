internal import Domain
internal import Grading

/// What a reading is worth beside the truth.
enum FieldVerdict {
    case right
    /// Differs from the truth and carries no flag: the worst fault there is.
    case wrong
    case flagged(isRight: Bool)

    /// A plain `blank` that is true counts as right, not as flagged.
    init(_ reading: FieldReading, truth: String) {
        let isRight = reading.value == truth || Grader.isSameText(reading.value, truth)
        let isPlainBlank = reading.flags == [.blank] && truth.isEmpty
        if !reading.flags.isEmpty && !isPlainBlank {
            self = .flagged(isRight: isRight)
        } else {
            self = isRight ? .right : .wrong
        }
    }
}
