import Glibc
package import SheetPrinting

/// Turns a filled-in page into the image a scanner makes of it.
package enum SimulatedScanner {
    /// - Parameter canvas: drawn at the resolution of the scan, so that sampling loses nothing.
    package static func scan(
        _ canvas: SheetCanvas, conditions: ScanConditions, using generator: inout SeededGenerator
    ) -> ScannedImage {
        let channels = conditions.isColour ? 3 : 1
        var image = ScannedImage(
            width: canvas.width, height: canvas.height, channels: channels, dpi: conditions.dpi,
            pixels: warped(canvas, conditions: conditions, channels: channels))
        if conditions.blur > 0.02 { blur(&image, weight: conditions.blur) }
        addSpeckles(&image, count: conditions.speckles, using: &generator)
        expose(&image, conditions: conditions, using: &generator)
        return image
    }

    /// Looks every pixel of the scan up on the page, with bilinear interpolation.
    private static func warped(_ canvas: SheetCanvas, conditions: ScanConditions, channels: Int) -> [UInt8] {
        let (width, height) = (canvas.width, canvas.height)
        let angle = -conditions.rotation * .pi / 180
        let (cosine, sine) = (Float(cos(angle)), Float(sin(angle)))
        let (centreX, centreY) = (Float(width - 1) / 2, Float(height - 1) / 2)
        let pixelsPerMillimetre = Float(conditions.dpi / 25.4)
        let shiftX = centreX - Float(conditions.shift.x) * pixelsPerMillimetre
        let shiftY = centreY - Float(conditions.shift.y) * pixelsPerMillimetre
        let tiltX = Float(conditions.perspective.x) / centreX
        let tiltY = Float(conditions.perspective.y) / centreY
        let background = UInt32(conditions.background)
        return canvas.withPixels { source, stride in
            [UInt8](unsafeUninitializedCapacity: width * height * channels) { output, count in
                guard var target = output.baseAddress else { return }
                for row in 0..<height {
                    let v = Float(row) - centreY
                    for column in 0..<width {
                        let u = Float(column) - centreX
                        let depth = 1 / (1 + tiltX * u + tiltY * v)
                        let x = (cosine * u - sine * v) * depth + shiftX
                        let y = (sine * u + cosine * v) * depth + shiftY
                        guard x >= 0, y >= 0, x < Float(width - 1), y < Float(height - 1) else {
                            for channel in 0..<channels { target[channel] = UInt8(background) }
                            target += channels
                            continue
                        }
                        let (left, top) = (Int(x), Int(y))
                        let weightX = UInt32((x - Float(left)) * 256)
                        let weightY = UInt32((y - Float(top)) * 256)
                        let pixel = blend(
                            source + top * stride + left, stride: stride, weightX: weightX, weightY: weightY)
                        if channels == 1 {
                            target[0] = UInt8(
                                truncatingIfNeeded: ((pixel >> 16 & 255) * 77 + (pixel >> 8 & 255) * 150
                                    + (pixel & 255) * 29) >> 8)
                        } else {
                            target[0] = UInt8(truncatingIfNeeded: pixel >> 16)
                            target[1] = UInt8(truncatingIfNeeded: pixel >> 8)
                            target[2] = UInt8(truncatingIfNeeded: pixel)
                        }
                        target += channels
                    }
                }
                count = width * height * channels
            }
        }
    }

    /// Mixes four neighbouring pixels; red and blue are calculated at once in one word.
    @inline(__always)
    private static func blend(
        _ pixel: UnsafePointer<UInt32>, stride: Int, weightX: UInt32, weightY: UInt32
    ) -> UInt32 {
        @inline(__always) func mix(_ first: UInt32, _ second: UInt32, _ weight: UInt32) -> UInt32 {
            let redBlue = ((first & 0xFF00FF) &* (256 &- weight) &+ (second & 0xFF00FF) &* weight) >> 8 & 0xFF00FF
            let green = ((first & 0x00FF00) &* (256 &- weight) &+ (second & 0x00FF00) &* weight) >> 8 & 0x00FF00
            return redBlue | green
        }
        let top = mix(pixel[0], pixel[1], weightX)
        let bottom = mix(pixel[stride], pixel[stride + 1], weightX)
        return mix(top, bottom, weightY)
    }

    /// A three by three blur: the neighbours in a row and in a column count `weight` each.
    private static func blur(_ image: inout ScannedImage, weight: Double) {
        let side = UInt32(weight * 256)
        let middle = 256 - 2 * side
        let (rowLength, height, channels) = (image.width * image.channels, image.height, image.channels)
        let source = image.pixels
        var line = [UInt8](repeating: 0, count: rowLength)
        source.withUnsafeBufferPointer { source in
            image.pixels.withUnsafeMutableBufferPointer { target in
                line.withUnsafeMutableBufferPointer { line in
                    for row in 1..<height - 1 {
                        let start = row * rowLength
                        for index in 0..<rowLength {
                            let sum =
                                (UInt32(source[start + index - rowLength]) + UInt32(source[start + index + rowLength]))
                                &* side &+ UInt32(source[start + index]) &* middle
                            line[index] = UInt8(truncatingIfNeeded: sum >> 8)
                        }
                        for index in channels..<rowLength - channels {
                            let sum =
                                (UInt32(line[index - channels]) + UInt32(line[index + channels])) &* side
                                &+ UInt32(line[index]) &* middle
                            target[start + index] = UInt8(truncatingIfNeeded: sum >> 8)
                        }
                    }
                }
            }
        }
    }

    /// Dust: specks of 0.1 to 0.4 mm, most of them dark.
    private static func addSpeckles(
        _ image: inout ScannedImage, count: Int, using generator: inout SeededGenerator
    ) {
        for _ in 0..<count {
            let radius = generator.uniform(0.05...0.2) * image.dpi / 25.4
            let (x, y) = (
                generator.uniform(0...Double(image.width - 1)), generator.uniform(0...Double(image.height - 1))
            )
            let level: UInt8 = generator.chance(0.8) ? UInt8.random(in: 40...150, using: &generator) : 255
            for row in max(0, Int(y - radius))...min(image.height - 1, Int(y + radius + 1)) {
                for column in max(0, Int(x - radius))...min(image.width - 1, Int(x + radius + 1)) {
                    let (dx, dy) = (Double(column) - x, Double(row) - y)
                    guard dx * dx + dy * dy <= radius * radius + 0.3 else { continue }
                    for channel in 0..<image.channels {
                        image.pixels[(row * image.width + column) * image.channels + channel] = level
                    }
                }
            }
        }
    }

    /// Brightness, contrast, tint, a gradient over the page, and noise, in one pass.
    private static func expose(
        _ image: inout ScannedImage, conditions: ScanConditions, using generator: inout SeededGenerator
    ) {
        let table = (0..<8192).map { _ in Int32((generator.normal() * conditions.noise * 65536).rounded()) }
        let tints =
            image.channels == 1
            ? [1.0] : [conditions.tint.red, conditions.tint.green, conditions.tint.blue]
        let (width, height, channels) = (image.width, image.height, image.channels)
        let black = Int32(conditions.black * 65536)
        image.pixels.withUnsafeMutableBufferPointer { pixels in
            table.withUnsafeBufferPointer { table in
                for row in 0..<height {
                    var offset = Int(generator.next() & 8191)
                    let down = (Double(row) / Double(height) - 0.5) * conditions.gradient.y
                    for channel in 0..<channels {
                        // 16.16 fixed point: white becomes brightness × tint, black becomes `black`.
                        let white = (conditions.brightness + down) * tints[channel] - conditions.black / 255
                        var gain = Int32((white - conditions.gradient.x / 2) * 65536)
                        let step = conditions.gradient.x * 65536 / Double(width)
                        let stepWhole = Int32(step.rounded())
                        var index = row * width * channels + channel
                        for _ in 0..<width {
                            let value = Int32(pixels[index]) &* gain &+ black &+ table[offset & 8191]
                            pixels[index] = UInt8(truncatingIfNeeded: min(max(value >> 16, 0), 255))
                            gain &+= stepWhole
                            offset &+= 1
                            index &+= channels
                        }
                    }
                }
            }
        }
    }
}
