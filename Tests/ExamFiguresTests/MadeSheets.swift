import Domain

/// An exam of every kind of question, and sheets of it as a seed has them.
enum MadeSheets {
    static let exam = Exam(
        id: "e",
        draft: ExamDraft(
            title: "期中 Midterm", subject: "maths", studentIDDigits: 4,
            questions: [
                Question(number: 1, kind: .singleChoice, points: 2, options: 4, answer: "B"),
                Question(number: 5, kind: .multipleChoice, points: 4, options: 5, answer: "AC"),
                Question(number: 3, kind: .open, points: 10),
            ]),
        owner: "li", createdAt: Timestamp(milliseconds: 1_790_000_000_000), updatedAt: .now, version: 1, keyVersion: 1)

    static func sheet(
        _ student: String?, status: SheetStatus = .graded, marks: [Mark] = [], fields: [String: FieldReading] = [:],
        flags: [SheetFlag] = [], pageFlags: [PageFlag] = [], milliseconds: Double = 10, error: ReadingFailure? = nil
    ) -> Sheet {
        let isRead = status != .failed && status != .uploaded
        var page = SheetPage(blob: BlobID(String(repeating: "0", count: 64)), file: "a.png", filePage: 1)
        if isRead {
            page.reading = PageReading(page: 1, fields: fields, flags: pageFlags, milliseconds: milliseconds)
        }
        return Sheet(
            id: SheetID.make(exam: "e"), examID: "e", status: status, pages: [page], studentID: student,
            score: marks.isEmpty ? nil : Score.sum(marks.compactMap(\.score)), maxScore: 16, marks: marks, flags: flags,
            error: error, correlationID: "c", uploadedBy: "li", uploadedAt: .now, readingVersion: isRead ? 1 : 0,
            keyVersion: marks.isEmpty ? 0 : 1)
    }

    static func random(_ count: Int, seed: UInt64) -> [Sheet] {
        var random = SeededRandom(state: seed)
        return (0..<count).map { index in
            let first = ["A", "B", "C", "D", ""].randomElement(using: &random) ?? ""
            let second = ["AC", "A", "BD", "C", ""].randomElement(using: &random) ?? ""
            let open = Double(Int.random(in: 0...1000, using: &random)) / 100
            return sheet(
                "\(1000 + index)",
                marks: [
                    Mark(question: 1, score: first == "B" ? 2 : 0, max: 2),
                    Mark(question: 5, score: second == "AC" ? 4 : second == "A" || second == "C" ? 2 : 0, max: 4),
                    Mark(question: 3, score: open, max: 10, by: index.isMultiple(of: 2) ? "wang" : "zhao"),
                ],
                fields: [
                    "q1": FieldReading(value: first, confidence: 1, flags: first.isEmpty ? [.blank] : []),
                    "q5": FieldReading(value: second, confidence: 1, flags: second.isEmpty ? [.blank] : []),
                    "q3": FieldReading(value: "", confidence: 1),
                ])
        }
    }
}

/// SplitMix64.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
