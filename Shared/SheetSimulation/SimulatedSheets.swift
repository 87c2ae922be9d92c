import AnswerSheet
package import Domain
package import SheetPrinting

/// A file a scanner wrote.
package struct SimulatedFile: Sendable {
    package var name: String
    package var bytes: [UInt8]
    package var format: ScanFormat
    /// The pages of the layout it shows, in the file's order.
    package var pages: [Int]
}

/// All scans of one student's answer sheet, and the truth about it.
package struct SimulatedSheet: Sendable {
    package var student: SimulatedStudent
    /// One file a page, or one PDF.
    package var files: [SimulatedFile]

    package var studentID: String { student.id }
    /// What the pen meant, by field name; `""` for blank.
    package var truth: [String: String] { student.truth }
}

/// A class that sits an exam: filled-in, scanned sheets. The same seed gives the same sheets; every sheet is made on
/// its own, so many can be made at once.
package struct SimulatedSheets: Sendable {
    package var exam: Exam
    package var seed: UInt64
    package var rates: SimulationRates
    /// True for sheets printed with the student's id.
    package var isPrefilled: Bool
    /// Formats to choose from; nil means mostly JPEG and PDF.
    package var formats: [ScanFormat]?
    /// Resolution of every scan; nil means 150 to 300 dpi.
    package var dpi: Double?

    package init(
        exam: Exam, seed: UInt64, rates: SimulationRates = .ordinary, isPrefilled: Bool = false,
        formats: [ScanFormat]? = nil, dpi: Double? = nil
    ) {
        self.exam = exam
        self.seed = seed
        self.rates = rates
        self.isPrefilled = isPrefilled
        self.formats = formats
        self.dpi = dpi
    }

    /// The sheets of a class of `count` students.
    ///
    /// - Throws: `PrintingError` when a font is missing or an encoder fails.
    package static func make(
        exam: Exam, count: Int, seed: UInt64, rates: SimulationRates = .ordinary
    ) throws(PrintingError) -> [SimulatedSheet] {
        let sheets = SimulatedSheets(exam: exam, seed: seed, rates: rates)
        var result: [SimulatedSheet] = []
        for index in 0..<count { result.append(try sheets.sheet(index)) }
        return result
    }

    /// The student's answers without any drawing.
    package func student(_ index: Int) -> SimulatedStudent {
        var generator = SeededGenerator(seed: seed, index: index)
        return SimulatedStudent.make(index: index, exam: exam, rates: rates, using: &generator)
    }

    /// The sheet of the `index`-th student.
    ///
    /// - Throws: `PrintingError` when a font is missing or an encoder fails.
    package func sheet(_ index: Int) throws(PrintingError) -> SimulatedSheet {
        var generator = SeededGenerator(seed: seed, index: index)
        let student = SimulatedStudent.make(index: index, exam: exam, rates: rates, using: &generator)
        let layout = AnswerSheetLayout.make(for: exam, student: isPrefilled ? student.id : nil)
        let habits = PenHabits.random(rates: rates, using: &generator)
        let format = format(using: &generator)
        var images: [ScannedImage] = []
        for page in layout.pages {
            var conditions = ScanConditions.random(rates: rates, using: &generator)
            // Chosen after the draw, so that a seed draws the same page at any resolution.
            if let dpi { conditions.dpi = dpi }
            // Compressing a noisy page in colour takes a second; offices that want PNG scan in grey.
            if format == .png { conditions.isColour = false }
            let canvas = try SheetCanvas(page: page, dpi: conditions.dpi)
            var pen = try SimulatedPen(
                canvas: canvas, habits: habits, generator: SeededGenerator(seed: generator.next()))
            pen.fill(page: page, answers: student.truth, name: student.name)
            images.append(SimulatedScanner.scan(canvas, conditions: conditions, using: &generator))
        }
        return SimulatedSheet(
            student: student, files: try files(index: index, images: images, format: format, using: &generator))
    }

    private func format(using generator: inout SeededGenerator) -> ScanFormat {
        let usual = [(ScanFormat.jpeg, 0.6), (.pdf, 0.25), (.tiff, 0.08), (.png, 0.07)]
        return (formats.map { $0.randomElement(using: &generator) } ?? generator.pick(usual)) ?? .jpeg
    }

    private func files(
        index: Int, images: [ScannedImage], format: ScanFormat, using generator: inout SeededGenerator
    ) throws(PrintingError) -> [SimulatedFile] {
        let quality = Int.random(in: 60...95, using: &generator)
        let number = "\(index + 1)"
        let stem = "scan-" + String(repeating: "0", count: max(0, 4 - number.count)) + number
        if format == .pdf {
            return [
                SimulatedFile(
                    name: stem + ".pdf", bytes: try format.encode(images, quality: quality), format: format,
                    pages: Array(1...images.count))
            ]
        }
        var files: [SimulatedFile] = []
        for (index, image) in images.enumerated() {
            files.append(
                SimulatedFile(
                    name: "\(stem)-\(index + 1).\(format.fileExtension)",
                    bytes: try format.encode([image], quality: quality), format: format, pages: [index + 1]))
        }
        return files
    }
}
