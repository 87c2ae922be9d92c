/// Filters that need to be quick: their loops are simple enough for the compiler to make vectors of them.
extension GreyImage {
    /// Shrinks into `target` by a whole factor: each pixel is the mean of a square. What is left at the right and the
    /// bottom is dropped.
    func shrink(by factor: Int, into target: GreyImage) {
        precondition((1...256).contains(factor) && width >= factor && height >= factor)
        target.reshape(width: width / factor, height: height / factor)
        let used = target.width * factor
        guard factor > 1 else {
            target.pixels.update(from: pixels, count: width * height)
            return
        }
        let area = UInt32(factor * factor)
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: used) { sums in
            guard let sums = sums.baseAddress else { return }
            for row in 0..<target.height {
                let first = pixels + row * factor * width
                for x in 0..<used { sums[x] = UInt16(first[x]) }
                for below in 1..<factor {
                    let line = first + below * width
                    for x in 0..<used { sums[x] &+= UInt16(line[x]) }
                }
                let out = target.pixels + row * target.width
                if factor == 2 {
                    for x in 0..<target.width {
                        out[x] = UInt8(truncatingIfNeeded: (sums[2 &* x] &+ sums[2 &* x &+ 1] &+ 2) >> 2)
                    }
                } else {
                    for x in 0..<target.width {
                        var sum = area / 2
                        for place in 0..<factor { sum &+= UInt32(sums[x &* factor &+ place]) }
                        out[x] = UInt8(truncatingIfNeeded: sum / area)
                    }
                }
            }
        }
    }

    /// Means over 3×3 pixels into `target`; beyond the edges the image is mirrored.
    func smooth(into target: GreyImage) {
        target.reshape(width: width, height: height)
        guard width >= 2, height >= 2 else {
            target.pixels.update(from: pixels, count: width * height)
            return
        }
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: width + 2) { sums in
            guard let sums = sums.baseAddress else { return }
            for y in 0..<height {
                let above = pixels + (y == 0 ? 1 : y - 1) * width
                let middle = pixels + y * width
                let below = pixels + (y == height - 1 ? height - 2 : y + 1) * width
                let column = sums + 1
                for x in 0..<width { column[x] = UInt16(above[x]) &+ UInt16(middle[x]) &+ UInt16(below[x]) }
                column[-1] = column[1]
                column[width] = column[width - 2]
                let out = target.pixels + y * width
                for x in 0..<width {
                    let sum = UInt32(sums[x] &+ sums[x &+ 1] &+ sums[x &+ 2] &+ 4)
                    // A ninth, exact in this range.
                    out[x] = UInt8(truncatingIfNeeded: (sum &* 7282) >> 16)
                }
            }
        }
    }

    /// 255 in `target` where a pixel is darker than `percent` % of the mean over the part of a `window`×`window` square
    /// around it that is inside, else 0.
    func findDarker(thanSurroundings percent: Int, window: Int, into target: GreyImage) {
        target.reshape(width: width, height: height)
        let reach = max(1, window / 2)
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 2 * width + 1) { buffer in
            guard let columns = buffer.baseAddress else { return }
            // Sums of a column's part in the window, and those added up from the left.
            let sums = columns + width
            columns.initialize(repeating: 0, count: 2 * width + 1)
            for y in 0..<min(reach, height) { add(row: y, to: columns) }
            for y in 0..<height {
                if y + reach < height { add(row: y + reach, to: columns) }
                if y - reach - 1 >= 0 { subtract(row: y - reach - 1, from: columns) }
                var total: UInt32 = 0
                for x in 0..<width {
                    total &+= columns[x]
                    sums[x &+ 1] = total
                }
                let rows = min(height - 1, y + reach) - max(0, y - reach) + 1
                let line = pixels + y * width
                let out = target.pixels + y * width
                let share = Float(percent) / 100 / Float(rows)
                let inner = min(reach, width)..<max(min(reach, width), width - reach)
                for x in 0..<inner.lowerBound {
                    out[x] = Self.isDarker(line[x], sums, x, reach, width, share)
                }
                let innerShare = share / Float(2 * reach + 1)
                for x in inner {
                    let mean = Float(Int32(truncatingIfNeeded: sums[x &+ reach &+ 1] &- sums[x &- reach]))
                    out[x] = Float(line[x]) < mean * innerShare ? 255 : 0
                }
                for x in inner.upperBound..<width {
                    out[x] = Self.isDarker(line[x], sums, x, reach, width, share)
                }
            }
        }
    }

    private static func isDarker(
        _ pixel: UInt8, _ sums: UnsafePointer<UInt32>, _ x: Int, _ reach: Int, _ width: Int, _ share: Float
    ) -> UInt8 {
        let left = max(0, x - reach)
        let right = min(width, x + reach + 1)
        return Float(pixel) < Float(sums[right] &- sums[left]) * share / Float(right - left) ? 255 : 0
    }

    private func add(row: Int, to columns: UnsafeMutablePointer<UInt32>) {
        let line = pixels + row * width
        for x in 0..<width { columns[x] &+= UInt32(line[x]) }
    }

    private func subtract(row: Int, from columns: UnsafeMutablePointer<UInt32>) {
        let line = pixels + row * width
        for x in 0..<width { columns[x] &-= UInt32(line[x]) }
    }
}
