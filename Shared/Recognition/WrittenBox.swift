import CVision
import Domain

/// What is written in a box, cut out and cleaned. Reuses its buffers.
final class WrittenBox {
    /// Pixels a millimetre of the cut-out.
    static let scale = 8.0
    /// Millimetres around the box that are cut out with it, to find its frame.
    private static let margin = 2.0
    /// Darkness from which a pixel is ink.
    private static let inkLevel = 0.2
    /// A stroke at least this long (mm) makes a box not blank; shorter ones are dots or dirt.
    private static let leastStroke = 1.2
    private static let leastDot = 0.4

    private let crop = GreyImage()
    private let ink = GreyImage()
    private let mask = GreyImage()
    private var areas = [VisionBounds](repeating: VisionBounds(), count: 2000)

    /// Where writing is in the cut-out; nil when the box is blank.
    private var writing: PixelBox?

    /// Whole pixels, ends included.
    fileprivate struct PixelBox {
        var left: Int
        var top: Int
        var right: Int
        var bottom: Int

        var width: Int { right - left + 1 }
        var height: Int { bottom - top + 1 }
    }

    /// Cuts a box out of the source and looks for writing.
    /// - Parameters:
    ///   - box: In layout units, where the print was found.
    /// - Returns: Whether anything is written in it.
    func take(_ box: Box, from source: GreyImage, on page: PageRaster) -> Bool {
        let scale = min(Self.scale, 2_000_000 / max(1, (box.width + 4) * (box.height + 4)).squareRoot() / 8)
        let left = box.x - box.width / 2 - Self.margin
        let top = box.y - box.height / 2 - Self.margin
        let width = max(8, Int((box.width + 2 * Self.margin) * scale))
        let height = max(8, Int((box.height + 2 * Self.margin) * scale))
        crop.reshape(width: width, height: height)
        mask.reshape(width: width, height: height)
        writing = nil
        let matrix = page.toSource.after(
            Homography.scale(
                1 / scale, 1 / scale, thenMove: Point(x: left + 0.5 / scale, y: top + 0.5 / scale)))
        PageWarp.warp(source, into: crop, by: matrix)
        measureInk(left: left, top: top, scale: scale, on: page)
        let inside = interior(box, scale: scale)
        guard inside.width > 4, inside.height > 4 else { return false }
        writing = findWriting(inside, scale: scale)
        return writing != nil
    }

    /// The darkness of every pixel, 0 paper to 255 full ink, smoothed a little against noise.
    private func measureInk(left: Double, top: Double, scale: Double, on page: PageRaster) {
        let step = page.scale / scale
        for y in 0..<crop.height {
            let line = crop.pixels + y * crop.width
            let out = mask.pixels + y * crop.width
            let row = top * page.scale + Double(y) * step
            var paper = 255.0
            var factor = 1.0
            for x in 0..<crop.width {
                if x % 8 == 0 {
                    paper = page.paperLevel(left * page.scale + Double(x) * step, row)
                    factor = 255 * page.inkFactor(paper: paper)
                }
                out[x] = UInt8(min(max((paper - Double(line[x])) * factor, 0), 255))
            }
        }
        mask.smooth(into: ink)
    }

    /// The part of the cut-out inside the printed frame.
    private func interior(_ box: Box, scale: Double) -> PixelBox {
        let reach = Int(1.5 * scale)
        let clear = max(2, Int(0.5 * scale))
        let unsure = Int(0.9 * scale)
        let top = Int(Self.margin * scale)
        let bottom = Int((Self.margin + box.height) * scale)
        let left = Int(Self.margin * scale)
        let right = Int((Self.margin + box.width) * scale)
        func row(_ expected: Int) -> Int? {
            strongest(expected, reach, limit: ink.height) { y in
                mean(count: right - left) { self.ink.pixels[y * self.ink.width + left + $0] }
            }
        }
        func column(_ expected: Int) -> Int? {
            strongest(expected, reach, limit: ink.width) { x in
                mean(count: bottom - top) { self.ink.pixels[(top + $0) * self.ink.width + x] }
            }
        }
        return PixelBox(
            left: max(0, column(left).map { $0 + clear } ?? left + unsure),
            top: max(0, row(top).map { $0 + clear } ?? top + unsure),
            right: min(ink.width - 1, column(right).map { $0 - clear } ?? right - unsure),
            bottom: min(ink.height - 1, row(bottom).map { $0 - clear } ?? bottom - unsure))
    }

    private func mean(count: Int, _ value: (Int) -> UInt8) -> Double {
        guard count > 0 else { return 0 }
        var sum = 0
        // The ends are left out: there the neighbouring side of the frame is.
        let skip = count / 16
        for i in skip..<(count - skip) { sum += Int(value(i)) }
        return Double(sum) / Double(max(1, count - 2 * skip))
    }

    /// The place of a printed line near an expected place, if one is there.
    private func strongest(_ expected: Int, _ reach: Int, limit: Int, _ value: (Int) -> Double) -> Int? {
        var best: (place: Int, value: Double)?
        for place in max(0, expected - reach)...max(0, min(limit - 1, expected + reach)) {
            let strength = value(place)
            if strength > best?.value ?? 45 { best = (place, strength) }
        }
        return best?.place
    }

    private func findWriting(_ inside: PixelBox, scale: Double) -> PixelBox? {
        let level = UInt8(255 * Self.inkLevel)
        for i in 0..<(mask.width * mask.height) { mask.pixels[i] = 0 }
        for y in inside.top...inside.bottom {
            for x in inside.left...inside.right where ink.pixels[y * ink.width + x] > level {
                mask.pixels[y * mask.width + x] = 255
            }
        }
        let found = vision_find_bounds(mask.view, &areas, Int32(areas.count))
        guard found > 0 else { return nil }
        var strokes: [PixelBox] = []
        var dots: [PixelBox] = []
        for area in areas.prefix(Int(found)) {
            let bounds = PixelBox(
                left: Int(area.left), top: Int(area.top), right: Int(area.left + area.width) - 1,
                bottom: Int(area.top + area.height) - 1)
            guard !isFrame(bounds, inside, scale: scale) else { continue }
            let length = Double(max(bounds.width, bounds.height)) / scale
            if length >= Self.leastStroke {
                strokes.append(bounds)
            } else if length >= Self.leastDot {
                dots.append(bounds)
            }
        }
        guard var all = strokes.first else { return nil }
        for stroke in strokes { all.join(stroke) }
        // A point belongs to the writing when it is beside it.
        let near = Int(3 * scale)
        let written = all
        for dot in dots
        where dot.left > written.left - near && dot.right < written.right + near && dot.top >= written.top - near / 3
            && dot.bottom <= written.bottom + near / 3
        {
            all.join(dot)
        }
        return all
    }

    /// Whether an area is what is left of the printed frame: thin and along the rim.
    private func isFrame(_ bounds: PixelBox, _ inside: PixelBox, scale: Double) -> Bool {
        let thin = Int(0.5 * scale)
        let touchesTop = bounds.top <= inside.top + 1 || bounds.bottom >= inside.bottom - 1
        let touchesSide = bounds.left <= inside.left + 1 || bounds.right >= inside.right - 1
        return touchesTop && bounds.height <= thin || touchesSide && bounds.width <= thin
    }

    /// Draws the writing for the text model: dark on white, of the model's height, on the left of a width it takes.
    func drawLine(into line: GreyImage) {
        guard let writing else { return }
        // Low writing such as a minus sign is not blown up.
        let least = Int(3.5 * Self.scale)
        let content = max(writing.height, least)
        let above = (content - writing.height) / 2 + content / 7
        let height = content + 2 * (content / 7)
        let beside = content / 3
        let width = writing.width + 2 * beside
        mask.reshape(width: width, height: height)
        let peak = max(60, inkPeak(writing))
        for y in 0..<height {
            for x in 0..<width {
                let (u, v) = (x - beside, y - above)
                var value = 255
                if u >= 0, v >= 0, u < writing.width, v < writing.height {
                    let ink = Int(self.ink.pixels[(writing.top + v) * self.ink.width + writing.left + u])
                    value = 255 - min(255, ink * 255 / peak)
                }
                mask.pixels[y * width + x] = UInt8(value)
            }
        }
        let scaled = max(8, width * TextModel.height / height)
        let target = TextModel.widths.first { $0 >= scaled } ?? TextModel.widths[TextModel.widths.count - 1]
        line.reshape(width: target, height: TextModel.height)
        for i in 0..<(line.width * line.height) { line.pixels[i] = 255 }
        if let place = line.view(left: 0, top: 0, width: min(scaled, target), height: TextModel.height) {
            _ = vision_resize(mask.view, place)
        }
    }

    /// Darkness of the writing itself: that of its darker pixels.
    private func inkPeak(_ writing: PixelBox) -> Int {
        var counts = [Int](repeating: 0, count: 256)
        var total = 0
        for y in writing.top...writing.bottom {
            for x in writing.left...writing.right {
                let value = Int(ink.pixels[y * ink.width + x])
                guard value > Int(255 * Self.inkLevel) else { continue }
                counts[value] += 1
                total += 1
            }
        }
        var rest = total / 5
        for value in stride(from: 255, through: 0, by: -1) {
            rest -= counts[value]
            if rest < 0 { return value }
        }
        return 255
    }
}

extension WrittenBox.PixelBox {
    fileprivate mutating func join(_ other: Self) {
        left = min(left, other.left)
        top = min(top, other.top)
        right = max(right, other.right)
        bottom = max(bottom, other.bottom)
    }
}
