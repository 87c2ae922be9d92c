import Domain
import Testing

@testable import Recognition

/// A filled page, its truth and its scan.
struct FilledPage {
    var truth: [String: String]
    var bytes: [UInt8]

    init(
        layout: SheetLayout = PrintedSheet.layout(), marks: [PenMark] = [.full], scan: Scan = Scan(), seed: UInt64,
        paper: UInt8 = 255, residue: Double = 0
    ) {
        var generator = SeededGenerator(seed: seed)
        let page = layout.pages[0]
        let canvas = PrintedSheet.print(page, paper: paper)
        truth = [:]
        for field in page.fields where !field.bubbles.isEmpty {
            var value = ""
            for (_, column) in Dictionary(grouping: field.bubbles, by: \.position).sorted(by: { $0.key < $1.key }) {
                let several = field.kind == .choice && !field.single && Bool.random(using: &generator)
                let chosen = column.indices.shuffled(using: &generator).prefix(several ? 2 : 1).sorted()
                for index in chosen {
                    marks.randomElement(using: &generator)?.draw(column[index], on: canvas, using: &generator)
                    value += column[index].value
                }
                if let other = column.indices.first(where: { !chosen.contains($0) }),
                    Double.random(in: 0..<1, using: &generator) < residue
                {
                    canvas.residue(column[other], using: &generator)
                }
            }
            truth[field.name] = value
        }
        bytes = ImageFile.jpeg(scan.scan(canvas, using: &generator))
    }

    /// Fields read wrongly without a flag, and the share of fields without a flag.
    func compare(_ reading: PageReading) -> (wrong: [String], unflagged: Double) {
        var wrong: [String] = []
        var unflagged = 0
        for (name, value) in truth {
            guard let read = reading.fields[name] else {
                wrong.append("\(name) missing")
                continue
            }
            guard read.flags.isEmpty else { continue }
            unflagged += 1
            if read.value != value { wrong.append("\(name) \(value) read as \(read.value)") }
        }
        return (wrong, Double(unflagged) / Double(max(1, truth.count)))
    }
}

@Suite struct PageReaderTests {
    let reader = PageReader(configuration: ReaderConfiguration())
    let layout = PrintedSheet.layout()

    @Test(
        "A page is read in any orientation",
        arguments: [0.0, 90, 180, 270, 5, -5, 10, -10, 184, 93])
    func orientations(rotation: Double) throws {
        let table: UInt8? = abs(rotation.truncatingRemainder(dividingBy: 90)) > 5 ? 60 : nil
        let filled = FilledPage(scan: Scan(rotation: rotation, table: table), seed: 1)
        let reading = try reader.read(filled.bytes, page: 0, layout: layout, expectedExam: PrintedSheet.exam)
        let result = filled.compare(reading)
        #expect(result.wrong == [])
        #expect(result.unflagged == 1, "\(reading.fields.filter { !$0.value.flags.isEmpty })")
        #expect(reading.flags == [])
    }

    @Test("A page is read at any usual resolution", arguments: [100.0, 150, 200, 300, 400])
    func resolutions(dpi: Double) throws {
        let filled = FilledPage(scan: Scan(dpi: dpi, rotation: 1.3, noise: 4), seed: 2)
        let reading = try reader.read(filled.bytes, page: 0, layout: layout, expectedExam: PrintedSheet.exam)
        let result = filled.compare(reading)
        #expect(result.wrong == [])
        #expect(result.unflagged == 1, "\(reading.fields.filter { !$0.value.flags.isEmpty })")
    }

    @Test("Every way of marking is read", arguments: PenMark.allCases)
    func pens(mark: PenMark) throws {
        var wrong: [String] = []
        var unflagged: [Double] = []
        for seed in 10..<14 {
            let filled = FilledPage(
                marks: [mark], scan: Scan(rotation: -0.7, noise: 5, blur: 0.08), seed: UInt64(seed), residue: 0.1)
            let reading = try reader.read(filled.bytes, page: 0, layout: layout, expectedExam: PrintedSheet.exam)
            let result = filled.compare(reading)
            wrong += result.wrong
            unflagged.append(result.unflagged)
        }
        #expect(wrong == [])
        #expect(unflagged.reduce(0, +) / Double(unflagged.count) >= 0.97, "\(unflagged)")
    }

    @Test(
        "Photographs and poor scans are read",
        arguments: [
            Scan(dpi: 220, rotation: 3, perspective: 0.06, noise: 4, blur: 0.1, shadow: 0.35, table: 70),
            Scan(dpi: 200, rotation: -2, perspective: -0.08, noise: 6, blur: 0.12, shadow: 0.2, table: 30),
            Scan(dpi: 150, rotation: 182, noise: 10, blur: 0.15, shadow: 0.5),
            Scan(dpi: 200, rotation: 0.5, noise: 3, bend: 0.8),
        ])
    func photographs(scan: Scan) throws {
        let filled = FilledPage(marks: [.full, .pencil, .sloppy, .partial], scan: scan, seed: 5, paper: 225)
        let reading = try reader.read(filled.bytes, page: 0, layout: layout, expectedExam: PrintedSheet.exam)
        let result = filled.compare(reading)
        #expect(result.wrong == [])
        #expect(result.unflagged >= 0.97, "\(reading.fields.filter { !$0.value.flags.isEmpty })")
    }

    @Test("A page nobody filled in reads as blank, never as letters", arguments: [0.0, 6, 12])
    func blankSheet(noise: Double) throws {
        let filled = FilledPage(marks: [], scan: Scan(rotation: 1, noise: noise), seed: 3)
        let reading = try reader.read(filled.bytes, page: 0, layout: layout, expectedExam: PrintedSheet.exam)
        for (name, field) in reading.fields where name != "q91" {
            #expect(field.value == "", "\(name)")
            #expect(field.flags == [.blank], "\(name)")
        }
        #expect(reading.flags.contains(.blankPage))
    }
}
