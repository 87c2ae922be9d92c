import Domain
import Testing

@testable import Recognition

/// Sheets whose marks are laid by hand, one case each.
@Suite struct MarkingCasesTests {
    let reader = PageReader(configuration: ReaderConfiguration())
    let layout = PrintedSheet.layout()

    /// Reads a page that `fill` has drawn on.
    private func read(
        seed: UInt64 = 1, scan: Scan = Scan(rotation: 0.6, noise: 4),
        _ fill: (Canvas, inout SeededGenerator) -> Void
    ) throws -> PageReading {
        var generator = SeededGenerator(seed: seed)
        let canvas = PrintedSheet.print(layout.pages[0])
        fill(canvas, &generator)
        return try reader.read(
            ImageFile.jpeg(scan.scan(canvas, using: &generator)), page: 0, layout: layout, expectedExam: nil)
    }

    private func bubble(_ field: String, _ value: String, _ position: Int = 0) -> Bubble {
        let bubbles = layout.pages[0].fields.first { $0.name == field }?.bubbles ?? []
        guard let bubble = bubbles.first(where: { $0.value == value && $0.position == position }) else {
            preconditionFailure("the test's layout has no \(value) in \(field)")
        }
        return bubble
    }

    private func fields(_ kind: LayoutField.Kind) -> [LayoutField] {
        layout.pages[0].fields.filter { $0.kind == kind }
    }

    @Test("A single mark on a whole sheet is read and everything else is blank", arguments: PenMark.allCases)
    func oneMark(mark: PenMark) throws {
        let reading = try read { mark.draw(bubble("q7", "C"), on: $0, using: &$1) }
        #expect(reading.fields["q7"]?.value == "C")
        for (name, field) in reading.fields where name != "q7" {
            #expect(field.value == "" && field.flags == [.blank], "\(name)")
        }
    }

    @Test("A sheet with every bubble filled reads as every bubble, flagged where one is allowed")
    func everything() throws {
        let reading = try read { canvas, generator in
            for field in layout.pages[0].fields {
                for bubble in field.bubbles { PenMark.full.draw(bubble, on: canvas, using: &generator) }
            }
        }
        for field in fields(.choice) {
            #expect(reading.fields[field.name]?.value == "ABCD")
            #expect(reading.fields[field.name]?.flags.contains(.multiple) == field.single)
        }
        #expect(reading.fields["student_id"]?.value == "????????")
        #expect(reading.fields["student_id"]?.flags == [.multiple])
    }

    @Test("A column of digits with all bubbles filled cannot be decided, the others can")
    func fullColumn() throws {
        let reading = try read { canvas, generator in
            for column in 0..<8 where column != 3 {
                PenMark.full.draw(bubble("student_id", "\(column)", column), on: canvas, using: &generator)
            }
            for digit in 0..<10 {
                PenMark.full.draw(bubble("student_id", "\(digit)", 3), on: canvas, using: &generator)
            }
        }
        #expect(reading.fields["student_id"]?.value == "012?4567")
        #expect(reading.fields["student_id"]?.flags == [.multiple])
    }

    @Test("Blank columns are fine at the ends and doubtful in the middle")
    func blankColumns() throws {
        let reading = try read { canvas, generator in
            for (column, symbol) in [(1, "-"), (2, "3"), (3, ".")] {
                PenMark.full.draw(bubble("q90", symbol, column), on: canvas, using: &generator)
            }
            for column in [0, 1, 2, 4, 5, 6, 7] {
                PenMark.full.draw(bubble("student_id", "5", column), on: canvas, using: &generator)
            }
        }
        #expect(reading.fields["q90"]?.value == "-3.")
        #expect(reading.fields["q90"]?.flags == [])
        #expect(reading.fields["student_id"]?.value == "555?5555")
        #expect(reading.fields["student_id"]?.flags == [.uncertain])
    }

    @Test("Two marks in a single choice are both named and flagged", arguments: [PenMark.full, .tick, .pencil, .light])
    func doubleMarks(mark: PenMark) throws {
        let reading = try read { canvas, generator in
            for field in fields(.choice) where field.single {
                mark.draw(bubble(field.name, "A"), on: canvas, using: &generator)
                mark.draw(bubble(field.name, "D"), on: canvas, using: &generator)
            }
        }
        for field in fields(.choice) where field.single {
            #expect(reading.fields[field.name]?.value == "AD")
            #expect(reading.fields[field.name]?.flags == [.multiple])
        }
    }

    @Test("A changed answer reads as the new one", arguments: [0.04, 0.08, 0.12, 0.2, 0.3, 0.45, 0.6])
    func erasures(residue: Double) throws {
        let reading = try read(scan: Scan(noise: 5)) { canvas, generator in
            for field in fields(.choice) {
                let old = bubble(field.name, "B")
                canvas.ellipse(x: old.x, y: old.y, width: old.width, height: old.height, ink: residue)
                PenMark.full.draw(bubble(field.name, "C"), on: canvas, using: &generator)
            }
        }
        for field in fields(.choice) {
            let read = try #require(reading.fields[field.name])
            // Where several may be marked, what is as dark as pencil is a mark.
            if field.single || residue < 0.5 {
                #expect(read.value == "C" || !read.flags.isEmpty, "\(field.name) \(read)")
            }
            if residue <= 0.2 { #expect(read == FieldReading(value: "C", confidence: read.confidence)) }
        }
    }

    @Test("An answer rubbed out without a new one is never a sure answer", arguments: [0.08, 0.14, 0.2, 0.28])
    func rubbedOut(residue: Double) throws {
        let reading = try read { canvas, generator in
            for (index, field) in fields(.choice).enumerated() {
                if index % 4 == 0 {
                    let old = bubble(field.name, "B")
                    canvas.ellipse(x: old.x, y: old.y, width: old.width, height: old.height, ink: residue)
                } else {
                    PenMark.full.draw(bubble(field.name, "C"), on: canvas, using: &generator)
                }
            }
        }
        for (index, field) in fields(.choice).enumerated() where index % 4 == 0 {
            #expect(reading.fields[field.name]?.flags.isEmpty == false, "\(field.name)")
        }
    }

    @Test("A stroke that strays through a bubble beside the mark does not change the answer unnoticed")
    func strayStrokes() throws {
        let reading = try read { canvas, generator in
            for field in fields(.choice) {
                PenMark.full.draw(bubble(field.name, "A"), on: canvas, using: &generator)
                let other = bubble(field.name, "D")
                canvas.stroke([(other.x - 3.5, other.y - 2), (other.x + 3.5, other.y + 2)], width: 0.35, ink: 0.8)
            }
        }
        for field in fields(.choice) {
            let read = try #require(reading.fields[field.name])
            #expect(read.value == "A" || !read.flags.isEmpty, "\(field.name) \(read)")
        }
    }

    @Test("A scribbled-over bubble is flagged, alone or beside the new answer", arguments: [false, true])
    func scribbles(withNewAnswer: Bool) throws {
        let reading = try read { canvas, generator in
            for field in fields(.choice) {
                let old = bubble(field.name, "B")
                PenMark.full.draw(old, on: canvas, using: &generator)
                var points: [(Double, Double)] = []
                for step in 0...14 {
                    points.append((old.x - 3.4 + Double(step) * 0.48, old.y + (step % 2 == 0 ? -2.6 : 2.6)))
                }
                canvas.stroke(points, width: 0.5, ink: 0.85)
                if withNewAnswer { PenMark.full.draw(bubble(field.name, "D"), on: canvas, using: &generator) }
            }
        }
        for field in fields(.choice) {
            #expect(reading.fields[field.name]?.flags.isEmpty == false, "\(field.name)")
        }
    }

    @Test("Ink that runs into the neighbour's bubble does not mark it", arguments: [1.2, 1.6, 2.0])
    func overflow(extra: Double) throws {
        let reading = try read { canvas, generator in
            for field in fields(.choice) {
                let mark = bubble(field.name, "B")
                canvas.ellipse(
                    x: mark.x + extra / 2, y: mark.y, width: mark.width + extra, height: mark.height + 0.8, ink: 0.9)
            }
        }
        for field in fields(.choice) {
            let read = try #require(reading.fields[field.name])
            #expect(read.value == "B", "\(field.name) \(read)")
        }
    }
}
