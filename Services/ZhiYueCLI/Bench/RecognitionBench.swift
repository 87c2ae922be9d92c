internal import AnswerSheet
internal import ArgumentParser
internal import Domain
internal import Logging
internal import ScanReader
internal import SheetSimulation

/// Reads simulated sheets in one confined reader, first without and then with their written fields.
struct RecognitionBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recognition",
        abstract: "Read simulated sheets in one reader process: time and faults.",
        discussion: """
            Times are those of one core, from the bytes of a page image to its fields, as the reader takes them. Pages \
            are read twice: without their written fields, and with them; the difference is the time of a written field. \
            Processor times include the messages to and from the reader and do not grow when the machine is busy. \
            A plain `blank` that is true counts as right, not as flagged.
            """)

    @Option(help: "Number of students.")
    var sheets = 50

    @Option(help: "Number of questions.")
    var questions = 40

    @Option(help: "Resolution of the scans in dots per inch.")
    var dpi = 200.0

    @Option(help: "The same seed gives the same sheets.")
    var seed: UInt64 = 1

    @Flag(help: "Print only the closing line of JSON.")
    var json = false

    func validate() throws {
        guard (1...10_000).contains(sheets) else { throw ValidationError("--sheets must be from 1 to 10000") }
        guard (1...300).contains(questions) else { throw ValidationError("--questions must be from 1 to 300") }
        guard (100...600).contains(dpi) else { throw ValidationError("--dpi must be from 100 to 600") }
    }

    func run() async throws {
        let draft = SimulatedExam.make(questions: questions, seed: seed)
        let exam = Exam(
            id: "00000000000000000000000000000000", draft: draft, owner: "bench", createdAt: .now, updatedAt: .now,
            version: 1, keyVersion: 1)
        let layout = AnswerSheetLayout.make(for: exam)
        let simulation = SimulatedSheets(exam: exam, seed: seed, formats: [.jpeg], dpi: dpi)
        let silent = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let reader = ScanReader(configuration: ScanReaderConfiguration(), workers: 1, logger: silent)
        do {
            let figures = try await measure(simulation, exam: exam.id, layout: layout, reader: reader)
            await reader.shutdown()
            if !json { print(figures.table()) }
            print(try figures.json())
        } catch {
            await reader.shutdown()
            throw error
        }
    }

    private func measure(
        _ simulation: SimulatedSheets, exam: ExamID, layout: SheetLayout, reader: ScanReader
    ) async throws -> RecognitionFigures {
        var unwritten = layout
        for index in unwritten.pages.indices {
            unwritten.pages[index].fields.removeAll { $0.kind == .text }
        }
        var figures = RecognitionFigures()
        for index in 0..<sheets {
            let sheet = try simulation.sheet(index)
            var milliseconds = 0.0
            for file in sheet.files {
                let scan = ScanSource(bytes: file.bytes)
                // The first page of all also starts the reader and loads the model.
                if index == 0 { _ = try await reader.read(scan, layout: layout, expectedExam: exam) }
                let started = ReaderClock.milliseconds()
                let plain = try await reader.read(scan, layout: unwritten, expectedExam: exam)
                figures.pageMilliseconds.append(plain.milliseconds)
                let between = ReaderClock.milliseconds()
                let clock = ContinuousClock.now
                let reading = try await reader.read(scan, layout: layout, expectedExam: exam)
                figures.seconds += clock.duration(to: .now).inSeconds
                let plainCPU = Self.difference(started, between)
                let allCPU = Self.difference(between, ReaderClock.milliseconds())
                if let plainCPU { figures.pageCPU.append(plainCPU) }
                milliseconds += reading.milliseconds
                let written = layout.pages.first { $0.number == reading.page }?.fields.count { $0.kind == .text } ?? 0
                if written > 0 {
                    figures.fieldMilliseconds.append((reading.milliseconds - plain.milliseconds) / Double(written))
                    if let cpu = Self.difference(plainCPU, allCPU) { figures.fieldCPU.append(cpu / Double(written)) }
                }
                for line in figures.compare(reading, with: sheet.truth) where !json {
                    writeError("sheet \(index + 1), \(line)")
                }
            }
            figures.sheetMilliseconds.append(milliseconds)
            if !json, index.isMultiple(of: 10) { writeError("\(index + 1) of \(sheets) sheets read") }
        }
        return figures
    }

    private static func difference(_ earlier: Double?, _ later: Double?) -> Double? {
        guard let earlier, let later else { return nil }
        return later - earlier
    }
}

/// What `RecognitionBench` found.
struct RecognitionFigures {
    /// Of a page without its written fields.
    var pageMilliseconds: [Double] = []
    /// Of one written field.
    var fieldMilliseconds: [Double] = []
    /// Processor time of the reader for a page without its written fields; empty where it cannot be told.
    var pageCPU: [Double] = []
    /// Processor time of one written field.
    var fieldCPU: [Double] = []
    /// Of all pages of a student with everything.
    var sheetMilliseconds: [Double] = []
    /// Spent waiting for the reader.
    var seconds = 0.0
    var fields = 0
    var wrong = 0
    var flagged = 0

    /// - Returns: a line for each field that is wrong without a flag.
    mutating func compare(_ reading: PageReading, with truth: [String: String]) -> [String] {
        var lines: [String] = []
        for (name, field) in reading.fields {
            guard let truth = truth[name] else { continue }
            fields += 1
            switch FieldVerdict(field, truth: truth) {
            case .right: continue
            case .flagged: flagged += 1
            case .wrong:
                wrong += 1
                lines.append("\(name): wrong without a flag: read \"\(field.value)\", truth \"\(truth)\"")
            }
        }
        return lines
    }

    func table() -> String {
        """
        Sheets read                       \(sheetMilliseconds.count)
        Fields / flagged / wrong          \(fields) / \(flagged) / \(wrong)
        Page without written fields       p50 \(rounded(pageMilliseconds.percentile(50))) ms, \
        p95 \(rounded(pageMilliseconds.percentile(95))) ms
        One written field                 p50 \(rounded(fieldMilliseconds.percentile(50))) ms, \
        p95 \(rounded(fieldMilliseconds.percentile(95))) ms
        Processor, page without them      p50 \(rounded(pageCPU.percentile(50))) ms, \
        p95 \(rounded(pageCPU.percentile(95))) ms
        Processor, one written field      p50 \(rounded(fieldCPU.percentile(50))) ms, \
        p95 \(rounded(fieldCPU.percentile(95))) ms
        Whole sheet                       p50 \(rounded(sheetMilliseconds.percentile(50))) ms, \
        p95 \(rounded(sheetMilliseconds.percentile(95))) ms
        """
    }

    func json() throws -> String {
        struct Percentiles: Encodable {
            let p50: Double
            let p95: Double
        }
        struct Figures: Encodable {
            let sheetsPerSecond: Double
            let millisecondsPerSheet: Percentiles
            let millisecondsPerPageWithoutText: Percentiles
            let millisecondsPerTextField: Percentiles
            let processorPerPageWithoutText: Percentiles
            let processorPerTextField: Percentiles
            let wrong: Int
            let flagged: Int
            let fields: Int

            enum CodingKeys: String, CodingKey {
                case sheetsPerSecond = "sheets_per_second"
                case millisecondsPerSheet = "milliseconds_per_sheet"
                case millisecondsPerPageWithoutText = "milliseconds_per_page_without_text"
                case millisecondsPerTextField = "milliseconds_per_text_field"
                case processorPerPageWithoutText = "processor_milliseconds_per_page_without_text"
                case processorPerTextField = "processor_milliseconds_per_text_field"
                case wrong, flagged, fields
            }
        }
        func percentiles(_ values: [Double]) -> Percentiles {
            Percentiles(p50: rounded(values.percentile(50)), p95: rounded(values.percentile(95)))
        }
        return try JSON.string(
            Figures(
                sheetsPerSecond: rounded(Double(sheetMilliseconds.count) / max(seconds, 0.001)),
                millisecondsPerSheet: percentiles(sheetMilliseconds),
                millisecondsPerPageWithoutText: percentiles(pageMilliseconds),
                millisecondsPerTextField: percentiles(fieldMilliseconds),
                processorPerPageWithoutText: percentiles(pageCPU), processorPerTextField: percentiles(fieldCPU),
                wrong: wrong, flagged: flagged, fields: fields))
    }

    private func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}

extension [Double] {
    /// The nearest-rank percentile, 0 when empty.
    func percentile(_ percent: Int) -> Double {
        guard !isEmpty else { return 0 }
        let rank = (Double(percent) / 100 * Double(count)).rounded(.up)
        return sorted()[Swift.max(0, Int(rank) - 1)]
    }
}
