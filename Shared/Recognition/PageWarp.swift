/// Looks pixels up in a source through a projective mapping.
enum PageWarp {
    /// Pixels of a row between places that are mapped exactly. Between them the mapping is taken for straight, which
    /// is off by less than a fiftieth of a pixel even for a page seen at a slant.
    private static let span = 16
    /// Steps between neighbouring pixels of the source.
    private static let one = 65_536.0
    /// What is seen beyond the source's edge.
    private static let outside: UInt8 = 255

    /// target(x, y) = source at `matrix`(x, y), bilinear, white outside the source.
    static func warp(_ source: GreyImage, into target: GreyImage, by matrix: Homography) {
        let m = matrix.m
        for row in 0..<target.height {
            let line = target.pixels + row * target.width
            let y = Double(row)
            let (columnX, columnY, columnW) = (m[1] * y + m[2], m[4] * y + m[5], m[7] * y + m[8])
            func place(_ column: Int) -> (x: Int, y: Int) {
                let x = Double(column)
                let w = m[6] * x + columnW
                let factor = one / (abs(w) < 1e-12 ? 1e-12 : w)
                return (fixed((m[0] * x + columnX) * factor), fixed((m[3] * x + columnY) * factor))
            }
            var start = 0
            var from = place(0)
            while start < target.width {
                let count = min(span, target.width - start)
                let to = place(start + count)
                let step =
                    count == span
                    ? (x: (to.x - from.x) / span, y: (to.y - from.y) / span)
                    : (x: (to.x - from.x) / count, y: (to.y - from.y) / count)
                if isInside(from, source), isInside(to, source) {
                    fill(line + start, count, source, from, step)
                } else {
                    fillAcrossEdge(line + start, count, source, from, step)
                }
                start += count
                from = to
            }
        }
    }

    /// Far places are all equally outside.
    private static func fixed(_ value: Double) -> Int {
        value.isFinite ? Int(min(max(value, -1e14), 1e14)) : Int(-1e14)
    }

    private static func isInside(_ place: (x: Int, y: Int), _ source: GreyImage) -> Bool {
        place.x >= 0 && place.y >= 0 && place.x >> 16 < source.width - 2 && place.y >> 16 < source.height - 2
    }

    /// Both ends lie inside, so everything between them does.
    @inline(__always)
    private static func fill(
        _ target: UnsafeMutablePointer<UInt8>, _ count: Int, _ source: GreyImage, _ from: (x: Int, y: Int),
        _ step: (x: Int, y: Int)
    ) {
        let (pixels, width) = (UnsafePointer(source.pixels), source.width)
        var (x, y) = from
        for index in 0..<count {
            let upper = UnsafeRawPointer(pixels + ((y >> 16) &* width &+ (x >> 16)))
            let above = spread(upper.loadUnaligned(as: UInt16.self))
            let below = spread((upper + width).loadUnaligned(as: UInt16.self))
            let right = UInt32(truncatingIfNeeded: x >> 8) & 255
            let down = UInt32(truncatingIfNeeded: y >> 8) & 255
            // Both columns at once, in the halves of a word; what one borrows from the other it gives back.
            let columns = above << 8 &+ (below &- above) &* down
            let (left, other) = (columns & 0xFFFF, columns >> 16)
            let sum = left << 8 &+ (other &- left) &* right
            target[index] = UInt8(truncatingIfNeeded: (sum &+ 32_768) >> 16)
            x &+= step.x
            y &+= step.y
        }
    }

    @inline(__always)
    private static func spread(_ pair: UInt16) -> UInt32 {
        let pair = UInt32(UInt16(littleEndian: pair))
        return (pair | pair << 8) & 0x00FF_00FF
    }

    private static func fillAcrossEdge(
        _ target: UnsafeMutablePointer<UInt8>, _ count: Int, _ source: GreyImage, _ from: (x: Int, y: Int),
        _ step: (x: Int, y: Int)
    ) {
        func pixel(_ x: Int, _ y: Int) -> Int {
            guard x >= 0, y >= 0, x < source.width, y < source.height else { return Int(outside) }
            return Int(source.pixels[y * source.width + x])
        }
        for index in 0..<count {
            let (x, y) = (from.x + step.x * index, from.y + step.y * index)
            let (left, top) = (x >> 16, y >> 16)
            let (right, down) = (x >> 8 & 255, y >> 8 & 255)
            let above = pixel(left, top) * (256 - right) + pixel(left + 1, top) * right
            let below = pixel(left, top + 1) * (256 - right) + pixel(left + 1, top + 1) * right
            target[index] = UInt8((above * (256 - down) + below * down + 32_768) >> 16)
        }
    }
}
