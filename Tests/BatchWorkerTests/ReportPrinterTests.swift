import Domain
import ExamFigures
import Foundation
import TaskQueue
import Testing

@testable import BatchWorker

/// Reports as `sheet-printer` prints them, read again by `pdftotext`.
@Suite struct ReportPrinterTests {
    private static func exam(_ title: String, subject: String = "数学 Maths", questions: Int = 3) -> Exam {
        Exam(
            id: "e",
            draft: ExamDraft(
                title: title, subject: subject, studentIDDigits: 8,
                questions: (1...questions).map {
                    Question(number: $0, kind: .singleChoice, points: 2, options: 4, answer: "B")
                }), owner: "li", createdAt: Timestamp(milliseconds: 1_790_000_000_000), updatedAt: .now, version: 1,
            keyVersion: 1)
    }

    /// Student `index` has the first `index % (questions + 1)` questions right and marks `C` in the others.
    private static func report(_ exam: Exam, students: Int) -> ExamReport {
        var tally = ReportTally(exam: exam)
        for index in 0..<students {
            let right = index % (exam.questions.count + 1)
            let answers = exam.questions.map { $0.number <= right ? "B" : "C" }
            let marks = zip(exam.questions, answers).map { Mark(question: $0.number, score: $1 == "B" ? 2 : 0, max: 2) }
            let fields = zip(exam.questions, answers).map { ($0.fieldName, FieldReading(value: $1, confidence: 1)) }
            var page = SheetPage(blob: BlobID(String(repeating: "0", count: 64)), file: "a.png", filePage: 1)
            page.reading = PageReading(page: 1, fields: Dictionary(uniqueKeysWithValues: fields))
            tally.add(
                Sheet(
                    id: SheetID.make(exam: "e"), examID: "e", status: .graded, pages: [page],
                    studentID: "\(20_260_000 + index)", score: Double(2 * right), maxScore: exam.maxScore, marks: marks,
                    correlationID: "c", uploadedBy: "li", uploadedAt: .now, readingVersion: 1, keyVersion: 1))
        }
        return tally.report
    }

    /// Line by line, as the words stand on the page.
    private static func text(_ pdf: [UInt8]) throws -> (text: String, pages: Int) {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("zhiyue-\(UUID().uuidString).pdf")
        try Data(pdf).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/pdftotext")
        process.arguments = ["-layout", file.path, "-"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        let text = String(decoding: data, as: UTF8.self)
        return (text, text.count { $0 == "\u{C}" })
    }

    private static func words(_ line: some StringProtocol) -> [String] {
        line.split(separator: " ").map { String($0) }
    }

    @Test func `the print says what the figures are`() async throws {
        // Scores 0, 2, 4, 6 twice and 0 once more.
        let pdf = try await ReportPrinter().print(Self.report(Self.exam("期中考试 Midterm"), students: 9))
        let (text, pages) = try Self.text(pdf)
        let lines = text.split(separator: "\n")
        #expect(pages == 1)
        #expect(text.contains("期中考试 Midterm"))
        #expect(text.contains("数学 Maths · 考试报告 Exam report · 满分 Full score 6 · 日期 Date 2026-09-21"))
        #expect(lines.contains { Self.words($0) == ["9", "9", "0", "0", "0"] }, "\(text)")
        // Number, mean 24/9, median, standard deviation of the population, least, most.
        #expect(lines.contains { Self.words($0) == ["9", "2.67", "2.00", "2.31", "0.00", "6.00"] }, "\(text)")
        // The first question: six of nine are right; with the rest it correlates by 2/√12.
        let first = try #require(
            lines.first { Self.words($0).starts(with: ["1", "单选", "Single", "choice"]) }, "\(text)")
        #expect(
            Self.words(first).dropFirst(4) == [
                "2", "66.7%", "0.58", "0.0%", "A", "0.0%", "[B]", "66.7%", "C", "33.3%", "D", "0.0%",
            ])
        #expect(lines.contains { Self.words($0).starts(with: ["20260000", "0", "0.0%"]) }, "\(text)")
        #expect(text.contains("20260008"))
    }

    @Test func `the same marks are the same bytes`() async throws {
        let report = Self.report(Self.exam("t"), students: 5)
        #expect(try await ReportPrinter().print(report) == ReportPrinter().print(report))
    }

    @Test func `an exam without sheets says so`() async throws {
        let pdf = try await ReportPrinter().print(Self.report(Self.exam("Empty"), students: 0))
        let (text, pages) = try Self.text(pdf)
        #expect(pages == 1)
        #expect(text.contains("还没有答卷。 No sheet has been uploaded yet."))
        #expect(!text.contains("Students"))
    }

    @Test func `ten thousand students and sixty questions fill many pages, and nobody is lost`() async throws {
        let report = Self.report(Self.exam("大考 Large", questions: 60), students: 10_000)
        let (text, pages) = try Self.text(try await ReportPrinter().print(report))
        #expect((60...120).contains(pages), "\(pages)")
        let numbers = Set(Self.words(text.replacing("\n", with: " ").replacing("\u{C}", with: " ")))
        #expect((0..<10_000).allSatisfy { numbers.contains("\(20_260_000 + $0)") })
        #expect(text.contains("Page \(pages)"))
    }

    @Test(arguments: [
        ("<span size='1'>&bold;</b> %s", "<span size='1'>&bold;</b> %s"), ("ab\u{0}cd\u{7}ef\ngh", "ab cd ef gh"),
        ("\u{202E}desrever", "desrever"), ("]]> \\ ( ) /Title", "]]> \\ ( ) /Title"),
    ]) func `a title is printed as it is, and steers nothing`(title: String, printed: String) async throws {
        let (text, _) = try Self.text(try await ReportPrinter().print(Self.report(Self.exam(title), students: 1)))
        #expect(Self.words(text).joined(separator: " ").contains(printed), "\(text)")
    }

    @Test(arguments: [
        String(repeating: "长", count: 200), String(repeating: "W", count: 200), String(repeating: "👩‍👩‍👧‍👦", count: 200),
        String(repeating: "a" + String(repeating: "\u{301}", count: 50), count: 200),
    ]) func `the longest titles leave room for the rest`(title: String) async throws {
        let exam = Self.exam(title, subject: String(title.prefix(100)))
        let (text, pages) = try Self.text(try await ReportPrinter().print(Self.report(exam, students: 2)))
        #expect(pages == 1 || pages == 2)
        #expect(text.contains("Std. deviation") && text.contains("20260001"))
    }

    @Test(arguments: [("/nonexistent/sheet-printer", false), ("/bin/false", true), ("/bin/true", true)])
    func `a printer that is missing fails for good, one that fails may be tried again`(
        path: String, retryable: Bool
    ) async throws {
        let failure = await #expect(throws: TaskFailure.self) {
            try await ReportPrinter(path: path).print(Self.report(Self.exam("t"), students: 1))
        }
        #expect(failure?.retryable == retryable)
        #expect(failure?.message.contains(path) == false)
    }
}
