import AnswerSheet
import Domain
import SheetSimulation
import Testing

@testable import Recognition

/// The project's own printed sheets, filled in and scanned by the simulation.
@Suite struct SimulatedClassTests {
    struct Class: CustomStringConvertible {
        var name: String
        var rates: SimulationRates
        var seed: UInt64
        var format: ScanFormat
        /// Largest share of fields that may be flagged though they could be read.
        var flagged: Double

        var description: String { "\(name) \(format)" }
    }

    @Test(
        "A class is read without an unflagged error",
        arguments: [
            Class(name: "careful", rates: .clean, seed: 1, format: .png, flagged: 0.005),
            Class(name: "ordinary", rates: .ordinary, seed: 2, format: .jpeg, flagged: 0.03),
            Class(name: "ordinary", rates: .ordinary, seed: 3, format: .tiff, flagged: 0.03),
            Class(name: "difficult", rates: .difficult, seed: 4, format: .jpeg, flagged: 0.08),
        ])
    func simulatedClass(_ example: Class) throws {
        let exam = Exam(
            id: "demo", draft: SimulatedExam.make(questions: 40, seed: 5), owner: "teacher",
            createdAt: Timestamp(milliseconds: 0), updatedAt: Timestamp(milliseconds: 0), version: 1, keyVersion: 1)
        let layout = AnswerSheetLayout.make(for: exam)
        let sheets = SimulatedSheets(exam: exam, seed: example.seed, rates: example.rates, formats: [example.format])
        let reader = PageReader(configuration: ReaderConfiguration())
        var wrong: [String] = []
        var flagged = 0
        var count = 0
        for index in 0..<6 {
            let sheet = try sheets.sheet(index)
            for file in sheet.files {
                let reading = try reader.read(file.bytes, page: 0, layout: layout, expectedExam: exam.id)
                #expect(reading.page == file.pages[0])
                for field in layout.pages[reading.page - 1].fields where field.kind == .choice || field.kind == .digits
                {
                    guard let truth = sheet.truth[field.name] else { continue }
                    let read = try #require(reading.fields[field.name])
                    count += 1
                    let mustFlag = truth.isEmpty || field.single && truth.count > 1
                    if read.flags.isEmpty, read.value != truth {
                        wrong.append("sheet \(index) \(field.name): \(truth) read as \(read.value)")
                    } else if !read.flags.isEmpty, !mustFlag {
                        flagged += 1
                    }
                }
            }
        }
        #expect(wrong == [])
        #expect(Double(flagged) <= example.flagged * Double(count), "\(flagged) of \(count)")
    }

    /// Sheets whose coarse scans once gave wrong values without a flag.
    @Test(
        "At 150 dpi lost points and light crosses are flagged", .enabled(if: Dependencies.areInstalled),
        arguments: [
            // Decimal points that are hardly there, or two of them.
            (seed: UInt64(1), sheet: 78, field: "q32"), (1, 293, "q29"), (1, 365, "q29"), (1, 492, "q32"),
            // A second answer crossed with a pencil.
            (1, 179, "q11"),
            // Dirt beside and between characters.
            (2, 415, "q36"), (2, 482, "q30"),
        ])
    func coarse(seed: UInt64, sheet: Int, field: String) throws {
        let exam = Exam(
            id: "00000000000000000000000000000000", draft: SimulatedExam.make(questions: 40, seed: seed),
            owner: "teacher", createdAt: Timestamp(milliseconds: 0), updatedAt: Timestamp(milliseconds: 0), version: 1,
            keyVersion: 1)
        let layout = AnswerSheetLayout.make(for: exam)
        let simulated = try SimulatedSheets(exam: exam, seed: seed, formats: [.jpeg], dpi: 150).sheet(sheet)
        let reader = PageReader(configuration: Dependencies.configuration)
        let reading = try reader.read(
            try #require(simulated.files.first).bytes, page: 0, layout: layout, expectedExam: exam.id)
        let read = try #require(reading.fields[field])
        #expect(read.value == simulated.truth[field] || !read.flags.isEmpty, "\(read)")
    }
}
