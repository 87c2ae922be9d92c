import AnswerSheet
import Domain
import SheetPrinting
import Testing

@testable import SheetSimulation

@Suite struct SimulatedScannerTests {
    private func page() throws -> LayoutPage {
        try #require(AnswerSheetLayout.make(for: .demonstration).pages.first)
    }

    @Test func `A perfect scanner shows the page as it is`() throws {
        let canvas = try SheetCanvas(page: page(), dpi: 100)
        var generator = SeededGenerator(seed: 1)
        let scan = SimulatedScanner.scan(canvas, conditions: .clean(dpi: 100), using: &generator)
        let original = canvas.grayImage()
        let largest = zip(scan.pixels, original.pixels).map { abs(Int($0) - Int($1)) }.max()
        #expect((largest ?? 255) <= 3)
    }

    @Test func `A page fed upside down comes out turned`() throws {
        let canvas = try SheetCanvas(page: page(), dpi: 100)
        var generator = SeededGenerator(seed: 1)
        var conditions = ScanConditions.clean(dpi: 100)
        conditions.rotation = 180
        let scan = SimulatedScanner.scan(canvas, conditions: conditions, using: &generator)
        let turned = canvas.grayImage().pixels.reversed()
        let differing = zip(scan.pixels, turned).count { abs(Int($0) - Int($1)) > 40 }
        #expect(differing * 1000 < scan.pixels.count)
    }

    @Test(arguments: [-5.0, -3, 3, 5, 175, 185])
    func `Crooked scans keep all four corner marks`(rotation: Double) throws {
        let canvas = try SheetCanvas(page: page(), dpi: 100)
        for tilt in [-0.006, 0.006] {
            var generator = SeededGenerator(seed: 1)
            var conditions = ScanConditions.clean(dpi: 100)
            conditions.rotation = rotation
            conditions.perspective = (tilt, -tilt)
            conditions.shift = (0.7, -0.7)
            let scan = SimulatedScanner.scan(canvas, conditions: conditions, using: &generator)
            // Nothing black is cut off at an edge, and every corner holds a mark's worth of black.
            let pixelArea = (25.4 / 100) * (25.4 / 100)
            for (left, top) in [(true, true), (false, true), (true, false), (false, false)] {
                var black = 0.0
                for y in 0..<150 {
                    for x in 0..<150 {
                        let column = left ? x : scan.width - 1 - x
                        let row = top ? y : scan.height - 1 - y
                        guard scan.pixels[row * scan.width + column] < 100 else { continue }
                        #expect(x > 1 && y > 1)
                        black += pixelArea
                    }
                }
                #expect(black > 24)
            }
        }
    }

    @Test func `Colour scans have three channels and the paper's tint`() throws {
        let canvas = try SheetCanvas(page: page(), dpi: 100)
        var generator = SeededGenerator(seed: 1)
        var conditions = ScanConditions.clean(dpi: 100)
        conditions.isColour = true
        conditions.tint = (1, 0.97, 0.9)
        let scan = SimulatedScanner.scan(canvas, conditions: conditions, using: &generator)
        #expect(scan.pixels.count == scan.width * scan.height * 3)
        let middle = (scan.height - 2) * scan.width * 3
        #expect(scan.pixels[middle] > scan.pixels[middle + 1])
        #expect(scan.pixels[middle + 1] > scan.pixels[middle + 2])
    }
}
