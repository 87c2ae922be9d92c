internal import Domain
internal import SheetSimulation

/// What became of the demonstration, compared with the truth.
struct DemoReport: Sendable {
    let sheets: Int
    let correlationID: String
    let exam: ExamID
    var graded = 0
    var failed = 0
    var inReview = 0
    /// Fields a machine read, the student number included.
    var fields = 0
    /// Fields that differ from the truth and carry no flag.
    var wrong = 0
    /// Fields with a flag other than a plain `blank` that is true.
    var flagged = 0
    /// Flagged fields whose value is right all the same.
    var flaggedButRight = 0
    /// Marks that differ from what the truth earns and carry no flag.
    var wrongMarks = 0
    var uploadSeconds = 0.0
    /// When all sheets come in one file: its size, and the time until the upload was answered.
    var fileBytes: Int?
    var answerSeconds: Double?
    var seconds = 0.0
    /// By kind of field: how many, how many flagged, how many wrong.
    var kinds: [String: (fields: Int, flagged: Int, wrong: Int)] = [:]
    /// One line for each thing that is not as it should be.
    var problems: [String] = []

    init(sheets: Int, correlationID: String, exam: ExamID) {
        self.sheets = sheets
        self.correlationID = correlationID
        self.exam = exam
    }

    var hasPassed: Bool { wrong == 0 && wrongMarks == 0 && graded == sheets && problems.isEmpty }

    mutating func add(_ sheet: SheetAnswer, truth student: SimulatedStudent) {
        switch sheet.status {
        case .graded: graded += 1
        case .review:
            graded += 1
            inReview += 1
        case .failed:
            failed += 1
            problems.append("sheet \(sheet.id) failed: \(sheet.error?.description ?? "no reason given")")
            return
        case .uploaded, .recognized:
            problems.append("sheet \(sheet.id) stayed \(sheet.status.rawValue)")
            return
        }
        let read = sheet.recognition?.fields ?? [:]
        for (name, truth) in student.truth.sorted(by: { $0.key < $1.key }) {
            guard let reading = read[name] else {
                problems.append("sheet \(sheet.id) has no field \(name)")
                continue
            }
            compare(reading, with: truth, name: name, sheet: sheet.id)
        }
        for mark in sheet.marks ?? [] {
            guard let expected = student.points[mark.question], mark.flags.allSatisfy({ $0 == .blank }) else {
                continue
            }
            if mark.score != expected {
                wrongMarks += 1
                problems.append(
                    "sheet \(sheet.id) question \(mark.question) scored \(mark.score ?? 0) instead of \(expected)")
            }
        }
    }

    private mutating func compare(
        _ reading: FieldReading, with truth: String, name: String, sheet: SheetID
    ) {
        let kind = name == "student_id" ? "student number" : "answers"
        fields += 1
        kinds[kind, default: (0, 0, 0)].fields += 1
        switch FieldVerdict(reading, truth: truth) {
        case .right:
            return
        case .flagged(let isRight):
            flagged += 1
            kinds[kind]?.flagged += 1
            if isRight { flaggedButRight += 1 }
        case .wrong:
            wrong += 1
            kinds[kind]?.wrong += 1
            problems.append("sheet \(sheet) field \(name) was read as \"\(reading.value)\", not \"\(truth)\"")
        }
    }

    func table() -> String {
        func row(_ name: String, _ value: String) -> String {
            name + String(repeating: " ", count: max(1, 34 - name.count)) + value
        }
        func share(_ part: Int) -> String {
            fields > 0 ? "\(part) (\(Self.decimal(100 * Double(part) / Double(fields), places: 2)) %)" : "\(part)"
        }
        let file = fileBytes.map { bytes in
            [
                row("Size of the file", "\(bytes >> 20) MiB"),
                row("Time to the answer of the upload", "\(Self.decimal(answerSeconds ?? 0, places: 2)) s"),
            ]
        }
        let lines = [
            row("Exam", exam.rawValue), row("Sheets marked", "\(graded) of \(sheets)"),
            row("  of these for people to look at", "\(inReview)"), row("Sheets failed", "\(failed)"),
            row("Fields read", "\(fields)"), row("  flagged as doubtful", share(flagged)),
            row("    though right", share(flaggedButRight)), row("  wrong without a flag", share(wrong)),
            row("Marks wrong without a flag", "\(wrongMarks)"),
            row("Time to the last upload", "\(Self.decimal(uploadSeconds, places: 1)) s"),
            row("Time to the last mark", "\(Self.decimal(seconds, places: 1)) s"),
            row("Sheets a second", Self.decimal(Double(sheets) / max(seconds, 0.001), places: 2)),
        ]
        return (lines + (file ?? [])).joined(separator: "\n")
    }

    func json() throws -> String {
        struct Figures: Encodable {
            let sheets: Int
            let graded: Int
            let fields: Int
            let wrong: Int
            let flagged: Int
            let wrongMarks: Int
            let seconds: Double
            let fileBytes: Int?
            let answerSeconds: Double?
            let correlationID: String
            let examID: ExamID

            enum CodingKeys: String, CodingKey {
                case sheets, graded, fields, wrong, flagged
                case wrongMarks = "wrong_marks"
                case seconds
                case fileBytes = "file_bytes"
                case answerSeconds = "answer_seconds"
                case correlationID = "correlation_id"
                case examID = "exam_id"
            }
        }
        return try JSON.string(
            Figures(
                sheets: sheets, graded: graded, fields: fields, wrong: wrong, flagged: flagged,
                wrongMarks: wrongMarks, seconds: Self.milliseconds(seconds), fileBytes: fileBytes,
                answerSeconds: answerSeconds.map(Self.milliseconds), correlationID: correlationID, examID: exam))
    }

    private static func milliseconds(_ seconds: Double) -> Double {
        (seconds * 1000).rounded() / 1000
    }

    private static func decimal(_ value: Double, places: Int) -> String {
        let scale = places == 1 ? 10.0 : 100.0
        return String((value * scale).rounded() / scale)
    }
}
