import CQREncode
import CVision
import Domain
import Glibc

@testable import Recognition

/// A page in millimetres that can be drawn on, 12 pixels a millimetre.
final class Canvas {
    static let scale = 12.0
    let image: GreyImage

    init(width: Double, height: Double, paper: UInt8 = 255) {
        image = GreyImage(width: Int(width * Self.scale), height: Int(height * Self.scale))
        for i in 0..<(image.width * image.height) { image.pixels[i] = paper }
    }

    /// Darkens every pixel of a box by `ink` (0 to 1) times what `coverage` says of it (0 to 1), in millimetres.
    func paint(
        left: Double, top: Double, right: Double, bottom: Double, ink: Double, coverage: (Double, Double) -> Double
    ) {
        let s = Self.scale
        let firstRow = max(0, Int(top * s) - 1)
        let lastRow = min(image.height - 1, Int(bottom * s) + 1)
        let firstColumn = max(0, Int(left * s) - 1)
        let lastColumn = min(image.width - 1, Int(right * s) + 1)
        guard firstRow <= lastRow, firstColumn <= lastColumn else { return }
        for row in firstRow...lastRow {
            for column in firstColumn...lastColumn {
                let share = coverage((Double(column) + 0.5) / s, (Double(row) + 0.5) / s)
                guard share > 0 else { continue }
                let old = Double(image.pixels[row * image.width + column])
                image.pixels[row * image.width + column] = UInt8(max(0, old * (1 - ink * min(share, 1))))
            }
        }
    }

    func rectangle(x: Double, y: Double, width: Double, height: Double, ink: Double) {
        paint(left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2, ink: ink) {
            abs($0 - x) <= width / 2 && abs($1 - y) <= height / 2 ? 1 : 0
        }
    }

    func frame(_ box: Box, line: Double = 0.2, ink: Double = 1) {
        rectangle(x: box.x, y: box.y - box.height / 2, width: box.width, height: line, ink: ink)
        rectangle(x: box.x, y: box.y + box.height / 2, width: box.width, height: line, ink: ink)
        rectangle(x: box.x - box.width / 2, y: box.y, width: line, height: box.height, ink: ink)
        rectangle(x: box.x + box.width / 2, y: box.y, width: line, height: box.height, ink: ink)
    }

    func ellipse(x: Double, y: Double, width: Double, height: Double, ink: Double) {
        paint(left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2, ink: ink) {
            let u = ($0 - x) / (width / 2)
            let v = ($1 - y) / (height / 2)
            return u * u + v * v <= 1 ? 1 : 0
        }
    }

    func ellipseOutline(x: Double, y: Double, width: Double, height: Double, line: Double, ink: Double) {
        let reach = line
        paint(
            left: x - width / 2 - reach, top: y - height / 2 - reach, right: x + width / 2 + reach,
            bottom: y + height / 2 + reach, ink: ink
        ) {
            let u = ($0 - x) / (width / 2)
            let v = ($1 - y) / (height / 2)
            let radius = (u * u + v * v).squareRoot()
            guard radius > 0.1 else { return 0 }
            // Distance along the ray, close enough to the true one for a thin line.
            let distance = abs(radius - 1) / radius * (($0 - x) * ($0 - x) + ($1 - y) * ($1 - y)).squareRoot()
            return distance <= line / 2 ? 1 : 0
        }
    }

    /// A stroke through points, with round ends.
    func stroke(_ points: [(Double, Double)], width: Double, ink: Double) {
        guard let first = points.first else { return }
        var left = first.0
        var right = first.0
        var top = first.1
        var bottom = first.1
        for (x, y) in points {
            left = min(left, x)
            right = max(right, x)
            top = min(top, y)
            bottom = max(bottom, y)
        }
        paint(left: left - width, top: top - width, right: right + width, bottom: bottom + width, ink: ink) { x, y in
            var nearest = Double.infinity
            for (a, b) in zip(points, points.dropFirst()) {
                let along = (b.0 - a.0, b.1 - a.1)
                let length = max(1e-9, along.0 * along.0 + along.1 * along.1)
                let t = min(max(((x - a.0) * along.0 + (y - a.1) * along.1) / length, 0), 1)
                nearest = min(nearest, hypot(x - a.0 - t * along.0, y - a.1 - t * along.1))
            }
            return min(max((width / 2 - nearest) / 0.06 + 0.5, 0), 1)
        }
    }

    func qr(_ code: PageCode) {
        guard let symbol = QRcode_encodeString(code.payload, 0, QR_ECLEVEL_M, QR_MODE_8, 1) else { return }
        defer { QRcode_free(symbol) }
        let count = Int(symbol.pointee.width)
        let module = code.size / Double(count)
        for row in 0..<count {
            for column in 0..<count where symbol.pointee.data[row * count + column] & 1 == 1 {
                rectangle(
                    x: code.x - code.size / 2 + (Double(column) + 0.5) * module,
                    y: code.y - code.size / 2 + (Double(row) + 0.5) * module, width: module + 0.02,
                    height: module + 0.02, ink: 1)
            }
        }
    }
}
