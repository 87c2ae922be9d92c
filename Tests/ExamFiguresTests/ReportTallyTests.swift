import Domain
import ExamFigures
import Testing

@Suite struct ReportTallyTests {
    private static func report(_ sheets: [Sheet]) -> ExamReport {
        var tally = ReportTally(exam: MadeSheets.exam)
        for sheet in sheets { tally.add(sheet) }
        return tally.report
    }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    private static func close(_ first: Double?, _ second: Double) -> Bool {
        first.map { abs($0 - second) < 1e-9 } ?? false
    }

    @Test(arguments: [1, 2, 3, 10, 501]) func `figures are those the definitions give`(count: Int) throws {
        let sheets = MadeSheets.random(count, seed: UInt64(count))
        let report = Self.report(sheets)
        let scores = sheets.compactMap(\.score).sorted()
        let mean = Self.mean(scores)
        #expect(report.scores.count == count)
        #expect(Self.close(report.scores.mean, mean))
        #expect(
            Self.close(
                report.scores.standardDeviation, Self.mean(scores.map { ($0 - mean) * ($0 - mean) }).squareRoot()))
        #expect(Self.close(report.scores.median, (scores[(count - 1) / 2] + scores[count / 2]) / 2))
        #expect(report.scores.minimum == scores.first && report.scores.maximum == scores.last)
        for (bin, inBin) in report.scores.bins.enumerated() {
            // In hundredths, so that no bound falls between two numbers.
            let low = 160 * bin
            let hundredths = scores.map { Int(($0 * 100).rounded()) }
            #expect(inBin == hundredths.count { $0 >= low && ($0 < low + 160 || bin == 9) }, "bin \(bin)")
        }
        #expect(report.students.map(\.student) == sheets.compactMap(\.studentID).sorted())
        #expect(report.date == "2026-09-21")

        for (question, figures) in zip(MadeSheets.exam.questions, report.questions) {
            let points = sheets.map { sheet in
                sheet.marks.first { $0.question == question.number }?.score ?? .nan
            }
            #expect(figures.marked == count && figures.read == count)
            #expect(Self.close(figures.meanShare, Self.mean(points) / question.points))
            let rests = zip(sheets, points).map { ($0.score ?? .nan) - $1 }
            let correlation = Self.correlation(points, rests)
            if correlation.isNaN {
                #expect(figures.discrimination == nil, "question \(question.number)")
            } else {
                #expect(Self.close(figures.discrimination, correlation), "question \(question.number)")
            }
            let values = sheets.map { $0.fields[question.fieldName]?.value ?? "?" }
            for option in figures.options {
                #expect(option.count == values.count { $0.contains(option.letter) })
                #expect(option.isKey == (question.answer ?? "").contains(option.letter))
            }
            let blank = question.kind == .open ? 0 : values.count { $0.isEmpty }
            #expect(Self.close(figures.blankShare, Double(blank) / Double(count)))
        }
    }

    /// By the definition, in floating point.
    private static func correlation(_ x: [Double], _ y: [Double]) -> Double {
        let (meanX, meanY) = (mean(x), mean(y))
        let covariance = zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) }
        let (varianceX, varianceY) = (
            x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }, y.reduce(0) { $0 + ($1 - meanY) * ($1 - meanY) }
        )
        return varianceX < 1e-12 || varianceY < 1e-12 ? .nan : covariance / (varianceX * varianceY).squareRoot()
    }

    @Test func `the order in which sheets come changes nothing`() throws {
        let sheets = MadeSheets.random(200, seed: 9)
        #expect(try JSON.encode(Self.report(sheets)) == JSON.encode(Self.report(sheets.reversed())))
    }

    @Test func `sheets without a score are counted by where they stand and in nothing else`() {
        let report = Self.report([
            MadeSheets.sheet(nil, status: .failed), MadeSheets.sheet(nil, status: .uploaded),
            MadeSheets.sheet("1", status: .recognized),
            MadeSheets.sheet(
                "2", status: .review,
                marks: [
                    Mark(question: 1, score: 2, max: 2), Mark(question: 3, score: nil, max: 10, flags: [.open]),
                    Mark(question: 5, score: 0, max: 4, flags: [.missingPage]),
                ]),
        ])
        #expect(report.sheets.total == 4 && report.sheets.failed == 1 && report.sheets.review == 1)
        #expect(report.scores.count == 1 && report.scores.mean == 2 && report.scores.standardDeviation == 0)
        #expect(report.students.map(\.isOpen) == [true])
        // Neither undecided nor missing is nought.
        #expect(report.questions.map(\.marked) == [1, 0, 0])
        #expect(report.questions.map(\.meanShare) == [1, nil, nil])
    }

    @Test func `an exam without sheets has no figures and all questions`() {
        let report = Self.report([])
        #expect(report.scores == ScoreFigures(count: 0, bins: Array(repeating: 0, count: 10)))
        #expect(report.questions.map(\.number) == [1, 5, 3])
        #expect(report.questions.allSatisfy { $0.blankShare == nil && $0.discrimination == nil })
    }

    @Test func `the largest exams do not overflow`() {
        var tally = ScoreTally()
        for _ in 0..<20_000 { tally.add(300_000, of: 300_000) }
        tally.add(0, of: 300_000)
        #expect(tally.figures.median == 300_000 && tally.figures.bins == [1, 0, 0, 0, 0, 0, 0, 0, 0, 20_000])
    }

    @Test(arguments: [
        ("期中考试 Midterm", "期中考试 Midterm"), ("a\u{0}b\nc\t\td", "a b c d"), ("  a  ", "a"), ("<b>&amp;", "<b>&amp;"),
        ("\u{202E}abc\u{200B}\u{FEFF}", "abc"), ("a\u{2028}b", "a b"), ("\u{E000}x\u{FFFF}", "x"), ("", ""), ("\n", ""),
        ("a" + String(repeating: "\u{301}", count: 100), "a" + String(repeating: "\u{301}", count: 4)),
        (String(repeating: "长", count: 31), String(repeating: "长", count: 29) + "…"),
    ]) func `text to print is one clean line of bounded length`(text: String, line: String) {
        #expect(Array(PrintableText.line(text, maxScalars: 30).unicodeScalars) == Array(line.unicodeScalars))
    }
}
