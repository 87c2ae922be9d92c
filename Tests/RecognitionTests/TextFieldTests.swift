import AnswerSheet
import Domain
import Foundation
import SheetSimulation
import Testing

@testable import Recognition

/// The unpacked model and libraries of a working copy; tests that need them pass over where they are missing.
enum Dependencies {
    static let directory = ProcessInfo.processInfo.environment["ZHIYUE_DEPS"] ?? ".deps"

    static var configuration: ReaderConfiguration {
        ReaderConfiguration(
            modelDirectory: directory + "/models", openVINODirectory: directory + "/openvino/openvino/libs")
    }

    static var areInstalled: Bool {
        FileManager.default.fileExists(atPath: directory + "/models/recognition.onnx")
            && FileManager.default.fileExists(atPath: directory + "/openvino/openvino/libs")
    }
}

@Suite struct TextFieldTests {
    static let digits = "-.0123456789"

    struct Case: CustomStringConvertible {
        var text: String
        var alphabet: String?
        var ink = 0.85
        /// True for what looks so unlike any word that a right reading may be flagged.
        var mayBeDoubted = false
        var description: String { text }
    }

    @Test(
        "Written text is read", .enabled(if: Dependencies.areInstalled),
        arguments: [
            Case(text: "Beijing"), Case(text: "3.14", alphabet: digits), Case(text: "-27", alphabet: digits),
            Case(text: "光合作用"), Case(text: "photosynthesis", ink: 0.5), Case(text: "1905", alphabet: digits, ink: 0.4),
            Case(text: "鲁迅"), Case(text: "7", alphabet: digits), Case(text: "H2SO4", mayBeDoubted: true),
        ])
    func text(_ example: Case) throws {
        var layout = PrintedSheet.layout()
        let field = try #require(layout.pages[0].fields.firstIndex { $0.name == "q91" })
        layout.pages[0].fields[field].alphabet = example.alphabet
        let canvas = PrintedSheet.print(layout.pages[0])
        canvas.write(example.text, x: 55, y: 225.3, size: 6, ink: example.ink)
        var generator = SeededGenerator(seed: 9)
        let bytes = ImageFile.jpeg(Scan(rotation: 0.8, noise: 4).scan(canvas, using: &generator))
        let reader = PageReader(configuration: Dependencies.configuration)
        let reading = try reader.read(bytes, page: 0, layout: layout, expectedExam: nil)
        let read = try #require(reading.fields["q91"])
        #expect(read.value == example.text)
        #expect(read.flags == [] || example.mayBeDoubted && read.flags == [.uncertain], "\(read.confidence)")
    }

    @Test(
        "What may be a speck beside the text is doubted",
        arguments: [
            ("photosynthesis.", true), ("'Beijing", true), ("水。", true), ("a . b", true), ("photosynthesis", false),
            ("3.14", false), ("don't", false), ("well-known", false), ("f(x)", false), ("50%", false),
            ("光合作·用", true), ("光合作用", false), ("列夫·托尔斯泰", true), ("H2O水", false),
        ])
    func speck(text: String, isDoubted: Bool) {
        #expect(TextFieldReader.mayHoldSpeck(text) == isDoubted)
    }

    @Test(
        "A number's point is between digits, and there is one",
        arguments: [
            ("3.14", true), ("-27", true), ("0", true), ("8.9.4", false), ("-45.", false), (".5", false), ("-", false),
            ("4-5", false), ("", false),
        ])
    func number(text: String, isNumber: Bool) {
        #expect(TextFieldReader.isNumber(text) == isNumber)
    }

    @Test("A full stop behind the text is flagged", .enabled(if: Dependencies.areInstalled))
    func fullStop() throws {
        let layout = PrintedSheet.layout()
        let canvas = PrintedSheet.print(layout.pages[0])
        canvas.write("Beijing.", x: 55, y: 225.3, size: 6, ink: 0.85)
        var generator = SeededGenerator(seed: 9)
        let bytes = ImageFile.jpeg(Scan(rotation: 0.8, noise: 4).scan(canvas, using: &generator))
        let reader = PageReader(configuration: Dependencies.configuration)
        let read = try #require(try reader.read(bytes, page: 0, layout: layout, expectedExam: nil).fields["q91"])
        #expect(read.value == "Beijing." && read.flags == [.uncertain])
    }

    @Test("A letter mistaken for its lookalike is flagged", .enabled(if: Dependencies.areInstalled))
    func lookalike() throws {
        // A joined hand whose j looks like a g.
        let draft = SimulatedExam.make(questions: 40, seed: 3)
        let exam = Exam(
            id: "00000000000000000000000000000000", draft: draft, owner: "teacher",
            createdAt: Timestamp(milliseconds: 0), updatedAt: Timestamp(milliseconds: 0), version: 1, keyVersion: 1)
        let layout = AnswerSheetLayout.make(for: exam)
        let sheet = try SimulatedSheets(exam: exam, seed: 3, formats: [.jpeg]).sheet(11)
        let reader = PageReader(configuration: Dependencies.configuration)
        let reading = try reader.read(
            try #require(sheet.files.first).bytes, page: 0, layout: layout, expectedExam: exam.id)
        let texts = layout.pages[0].fields.filter { $0.kind == .text && $0.alphabet == nil }
        #expect(texts.count == 4)
        for field in texts {
            let read = try #require(reading.fields[field.name])
            #expect(read.value == sheet.truth[field.name] || !read.flags.isEmpty, "\(field.name) \(read)")
        }
    }

    @Test("An empty box is blank, with or without a model", arguments: [0.0, 8, 14])
    func blank(noise: Double) throws {
        let layout = PrintedSheet.layout()
        var generator = SeededGenerator(seed: 4)
        let canvas = PrintedSheet.print(layout.pages[0])
        let scan = Scan(rotation: -2, noise: noise, shadow: 0.3)
        let bytes = ImageFile.jpeg(scan.scan(canvas, using: &generator))
        let reader = PageReader(configuration: ReaderConfiguration())
        let reading = try reader.read(bytes, page: 0, layout: layout, expectedExam: nil)
        #expect(reading.fields["q91"]?.flags == [.blank])
        #expect(reading.fields["q91"]?.value == "")
    }

    @Test("Without a model writing is found but flagged")
    func unreadable() throws {
        let layout = PrintedSheet.layout()
        var generator = SeededGenerator(seed: 4)
        let canvas = PrintedSheet.print(layout.pages[0])
        canvas.write("42", x: 40, y: 225, size: 6)
        let bytes = ImageFile.jpeg(Scan().scan(canvas, using: &generator))
        let reader = PageReader(configuration: ReaderConfiguration())
        let reading = try reader.read(bytes, page: 0, layout: layout, expectedExam: nil)
        #expect(reading.fields["q91"]?.flags == [.unreadable])
    }

    @Test("A missing installation is told apart from a bad image")
    func missingModel() throws {
        let reader = PageReader(
            configuration: ReaderConfiguration(modelDirectory: "/nonexistent", openVINODirectory: "/nonexistent"))
        let failure = #expect(throws: ReadingFailure.self) { try reader.loadTextModel() }
        #expect(failure?.code == .readerUnavailable)
    }
}

@Suite struct TextDecoderTests {
    let decoder = TextDecoder(dictionary: "a\nb\n1\nl\n0\nO\n")

    private func scores(_ steps: [(Int, Float)]) -> [Float] {
        steps.flatMap { index, value in (0..<8).map { $0 == index ? value : (1 - value) / 7 } }
    }

    private func decode(_ steps: [(Int, Float)], alphabet: String? = nil) -> TextDecoder.Line {
        scores(steps).withUnsafeBufferPointer {
            decoder.decode($0, steps: steps.count, classCount: 8, alphabet: alphabet)
        }
    }

    @Test("Repeats are one character unless a blank parts them")
    func repeats() {
        #expect(decode([(1, 0.9), (1, 0.8), (0, 0.9), (1, 0.9), (2, 0.7), (7, 0.9)]).text == "aab ")
    }

    @Test("The least certain character tells the confidence")
    func confidence() {
        let line = decode([(1, 0.9), (0, 0.9), (2, 0.5), (2, 0.7)])
        #expect(line.confidences.count == 2)
        #expect(abs(line.confidence - 0.7) < 1e-6)
    }

    @Test("A restricted alphabet takes look-alikes for its own")
    func alphabet() {
        let line = decode([(4, 0.9), (0, 0.9), (6, 0.9)], alphabet: "0123456789")
        #expect(line.text == "10")
        #expect(line.confidence > 0.8)
    }

    @Test("What is left out between two characters takes the confidence, what a character begins or ends with does not")
    func omission() {
        /// Probabilities of the blank, "l", the foreign "a", "1" and "0" in one step.
        func step(blank: Float, l: Float = 0, a: Float = 0, one: Float = 0, zero: Float = 0) -> [Float] {
            [blank, a, 0, one, l, zero, 0, 0]
        }
        func omission(_ between: [Float], before last: [Float] = step(blank: 0, zero: 1), text: String = "10") -> Double
        {
            let steps = [step(blank: 0, one: 1), between, last]
            return steps.flatMap { $0 }.withUnsafeBufferPointer { scores in
                let line = decoder.decode(scores, steps: 3, classCount: 8, alphabet: "01")
                #expect(line.text == text)
                #expect(abs(line.confidence - (1 - line.omission)) < 1e-6)
                return line.omission
            }
        }
        #expect(omission(step(blank: 1)) < 1e-6)
        #expect(omission(step(blank: 0.5, l: 0.2, one: 0.2, zero: 0.1)) < 1e-6)
        #expect(abs(omission(step(blank: 0.7, a: 0.3)) - 0.3) < 1e-6)
        // Between two alike, what is theirs does not hide what is not.
        let between = step(blank: 0.5, a: 0.3, one: 0.2)
        #expect(abs(omission(between, before: step(blank: 0, one: 1), text: "11") - 0.3) < 1e-6)
    }

    @Test("A letter where only digits can be gives little confidence")
    func foreignCharacter() {
        let line = decode([(0, 0.9), (1, 0.95), (0, 0.9)], alphabet: "0123456789")
        #expect(line.text == "" || line.confidence < 0.1)
    }
}
