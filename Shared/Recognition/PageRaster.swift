import CVision
import Domain

/// The page laid flat: an image whose pixels are the layout's coordinates times a fixed scale, with the paper's level
/// known everywhere, so that darkness can be told from shadow.
final class PageRaster {
    let image = GreyImage()
    /// The same, blurred over 3×3 pixels.
    let smooth = GreyImage()
    /// Pixels a layout unit.
    private(set) var scale = 1.0
    /// Layout coordinates to pixels of the source.
    private(set) var toSource = Homography.identity
    /// Brightness of full ink on this sheet, 0 to 255.
    private(set) var black = 0.0
    private var paper = PaperLevel()

    /// Lays the page flat.
    /// - Parameters:
    ///   - toSource: Layout coordinates to source pixels.
    ///   - width: Width of the page in layout units.
    func flatten(_ source: GreyImage, toSource: Homography, width: Double, height: Double, scale: Double) {
        self.scale = scale
        self.toSource = toSource
        let columns = max(8, Int((width * scale).rounded()))
        let rows = max(8, Int((height * scale).rounded()))
        image.reshape(width: columns, height: rows)
        // Pixel centres are at half units.
        let matrix = toSource.after(
            Homography.scale(1 / scale, 1 / scale, thenMove: Point(x: 0.5 / scale, y: 0.5 / scale)))
        PageWarp.warp(source, into: image, by: matrix)
        image.smooth(into: smooth)
        paper.measure(image)
    }

    /// Sets the brightness of full ink from what is known to be printed black.
    func setBlack(_ level: Double?) {
        black = min(max(level ?? 0, 0), 160)
    }

    /// A layout place in pixels.
    func pixel(_ x: Double, _ y: Double) -> Point {
        Point(x: x * scale - 0.5, y: y * scale - 0.5)
    }

    /// Brightness of blank paper around a pixel.
    func paperLevel(_ x: Double, _ y: Double) -> Double {
        paper.level(x, y)
    }

    /// What one step of brightness is worth as ink around a pixel, where paper is 0 and black print is 1.
    func inkFactor(paper: Double) -> Double {
        1 / max(40, paper - black)
    }
}

/// Brightness of the unprinted paper, on a coarse grid.
struct PaperLevel {
    /// Pixels of the page a cell covers.
    private static let cell = 12
    private let small = GreyImage()
    private var columns = 0
    private var rows = 0
    private var levels: [Float] = []

    mutating func measure(_ image: GreyImage) {
        let half = min(Self.cell / 2, image.width, image.height)
        image.shrink(by: half, into: small)
        columns = max(1, image.width / Self.cell)
        rows = max(1, image.height / Self.cell)
        levels = [Float](repeating: 255, count: columns * rows)
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: 256) { counts in
            for row in 0..<rows { measure(row: row, counts: counts) }
        }
    }

    /// The counts of the pixels around a cell are those of its left neighbour but for a few columns.
    private mutating func measure(row: Int, counts: UnsafeMutableBufferPointer<Int32>) {
        let reach = 5
        let top = max(0, row * 2 - reach)
        let bottom = min(small.height - 1, row * 2 + 1 + reach)
        guard top <= bottom else { return }
        counts.initialize(repeating: 0)
        func count(column: Int, _ change: Int32) {
            for y in top...bottom { counts[Int(small.pixels[y * small.width + column])] &+= change }
        }
        var counted = 0..<0
        for column in 0..<columns {
            let left = max(0, column * 2 - reach)
            let right = min(small.width, column * 2 + 2 + reach)
            guard left < right else { continue }
            for gone in counted.lowerBound..<left { count(column: gone, -1) }
            for new in counted.upperBound..<right { count(column: new, 1) }
            counted = left..<right
            // Print and marks cover less than the darker three quarters anywhere on a sheet.
            var rest = Int32((bottom - top + 1) * counted.count) / 5
            var value = 255
            while value > 0, rest > counts[value] {
                rest -= counts[value]
                value -= 1
            }
            levels[row * columns + column] = Float(value)
        }
    }

    func level(_ x: Double, _ y: Double) -> Double {
        let column = min(max(Int(x) / Self.cell, 0), columns - 1)
        let row = min(max(Int(y) / Self.cell, 0), rows - 1)
        return Double(levels[row * columns + column])
    }
}
