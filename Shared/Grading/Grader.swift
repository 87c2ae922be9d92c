package import Domain

/// Marks answers by the key. Pure: the same answers and key always give the same marks.
package enum Grader {
    /// - Parameters:
    ///   - fields: what was read, by field name; a question whose field is absent is on a page not scanned yet.
    /// - Returns: one mark for each question, in the order of the exam.
    package static func marks(for exam: Exam, fields: [String: FieldReading]) -> [Mark] {
        exam.questions.map { question in
            guard let reading = fields[question.fieldName] else {
                return Mark(question: question.number, score: nil, max: question.points, flags: [.missingPage])
            }
            return mark(question, reading: reading)
        }
    }

    /// The mark of one question. A doubtful reading is marked as it stands and carries the doubt as a flag.
    package static func mark(_ question: Question, reading: FieldReading) -> Mark {
        var flags = reading.flags.map(MarkFlag.init)
        if question.kind == .open {
            // People also confirm that an open answer is empty: faint writing is easily missed.
            flags.append(.open)
            return Mark(question: question.number, score: nil, max: question.points, flags: flags)
        }
        if reading.value.isEmpty && flags.isEmpty { flags.append(.blank) }
        let share: Double
        switch question.kind {
        case .singleChoice, .trueFalse:
            share = reading.value == question.answer ? 1 : 0
        case .multipleChoice:
            share = ChoiceRule.share(
                marked: Set(reading.value.map { String($0) }), key: Set((question.answer ?? "").map { String($0) }),
                credit: question.partialCredit ?? .none)
        case .numeric:
            let answer = NumericRule.number(from: reading.value)
            if answer == nil && !reading.value.isEmpty { flags.append(.notANumber) }
            share = NumericRule.accepts(answer, key: question.answer, tolerance: question.tolerance ?? 0) ? 1 : 0
        case .shortText:
            share =
                TextRule.accepts(reading.value, answers: question.acceptedAnswers, maxEdits: question.maxEdits ?? 0)
                ? 1 : 0
        case .open:
            share = 0
        }
        return Mark(
            question: question.number, score: Score.rounded(question.points * share), max: question.points,
            flags: flags)
    }

    /// True when two written answers are the same but for case, width and spaces.
    package static func isSameText(_ first: String, _ second: String) -> Bool {
        TextRule.folded(first) == TextRule.folded(second)
    }
}
