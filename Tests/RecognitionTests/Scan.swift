import CTurboJPEG
import CVision
import Glibc

@testable import Recognition

/// How a printed page becomes an image file.
struct Scan {
    /// Dots an inch.
    var dpi = 200.0
    /// Degrees clockwise, any.
    var rotation = 0.0
    /// How much narrower the page's top edge is than its bottom edge, as a share.
    var perspective = 0.0
    /// Deviation of the noise in brightness steps.
    var noise = 0.0
    /// Deviation of the blur in millimetres.
    var blur = 0.0
    /// Brightness lost from one side to the other, as a share.
    var shadow = 0.0
    /// Amplitude of the paper's bend in millimetres.
    var bend = 0.0
    /// Brightness of what lies around the page; nil crops the image to the page.
    var table: UInt8?

    func scan(_ canvas: Canvas, using generator: inout SeededGenerator) -> GreyImage {
        let pixelsPerMillimetre = dpi / 25.4
        let blurred = GreyImage(width: canvas.image.width, height: canvas.image.height)
        let softness = max(blur * Canvas.scale, 0.4 * Canvas.scale / pixelsPerMillimetre)
        let window = Int32(softness * 3) * 2 + 1
        _ = vision_gaussian_blur(canvas.image.view, blurred.view, window, window, softness)
        let width = Double(canvas.image.width) / Canvas.scale
        let height = Double(canvas.image.height) / Canvas.scale
        let angle = rotation * Double.pi / 180
        let isSideways = abs(sin(angle)) > 0.7
        let margin = table == nil ? 0.0 : 15.0
        let outWidth = (isSideways ? height : width) + 2 * margin
        let outHeight = (isSideways ? width : height) + 2 * margin
        let image = GreyImage(
            width: Int(outWidth * pixelsPerMillimetre), height: Int(outHeight * pixelsPerMillimetre))
        // From the page (millimetres) to the image.
        let centred = Homography.scale(1, 1, thenMove: Point(x: -width / 2, y: -height / 2))
        let lean = Homography(m: [1, 0, 0, 0, 1, 0, 0, perspective / height, 1])
        let turn = Homography(m: [cos(angle), -sin(angle), 0, sin(angle), cos(angle), 0, 0, 0, 1])
        let place = Homography.scale(
            pixelsPerMillimetre, pixelsPerMillimetre,
            thenMove: Point(
                x: outWidth / 2 * pixelsPerMillimetre - 0.5, y: outHeight / 2 * pixelsPerMillimetre - 0.5))
        let toImage = place.after(turn).after(lean).after(centred)
        guard let toPage = toImage.inverse else { fatalError("the scan cannot be inverted") }
        let outside = table ?? 255
        for row in 0..<image.height {
            for column in 0..<image.width {
                let p = toPage(Point(x: Double(column), y: Double(row)))
                let bentX = p.x + bend * sin(p.y / height * Double.pi * 1.5)
                let bentY = p.y + bend * sin(p.x / width * Double.pi)
                var value: Double
                if p.x < 0 || p.y < 0 || p.x >= width || p.y >= height {
                    value = Double(outside)
                } else {
                    value = blurred.sample(bentX * Canvas.scale - 0.5, bentY * Canvas.scale - 0.5)
                }
                value *= 1 - shadow * Double(column) / Double(image.width)
                if noise > 0 { value += noise * generator.gaussian() }
                image.pixels[row * image.width + column] = UInt8(min(max(value.rounded(), 0), 255))
            }
        }
        return image
    }
}

/// Image files, written by hand so that the reader's decoders are tested against something else.
enum ImageFile {
    static func tiff(_ images: [GreyImage]) -> [UInt8] {
        var bytes: [UInt8] = [0x49, 0x49, 0x2A, 0]
        func append32(_ value: Int) { for i in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * i))) } }
        func append16(_ value: Int) { for i in 0..<2 { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * i))) } }
        for image in images {
            let size = image.width * image.height
            let data = bytes.count + 4
            let padded = size + size % 2
            append32(data + padded)
            bytes += UnsafeBufferPointer(start: image.pixels, count: size)
            if padded > size { bytes.append(0) }
            let entries = [
                (256, 4, image.width), (257, 4, image.height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, data),
                (277, 3, 1), (278, 4, image.height), (279, 4, size),
            ]
            append16(entries.count)
            for (tag, type, value) in entries {
                append16(tag)
                append16(type)
                append32(1)
                append32(value)
            }
        }
        append32(0)
        return bytes
    }

    static func jpeg(_ image: GreyImage, quality: Int32 = 80) -> [UInt8] {
        let encoder = tjInitCompress()
        defer { tjDestroy(encoder) }
        var data: UnsafeMutablePointer<UInt8>?
        var count: UInt = 0
        tjCompress2(
            encoder, image.pixels, Int32(image.width), 0, Int32(image.height), Int32(TJPF_GRAY.rawValue), &data,
            &count, Int32(TJSAMP_GRAY.rawValue), quality, 0)
        defer { tjFree(data) }
        return Array(UnsafeBufferPointer(start: data, count: Int(count)))
    }

    /// A PNG with the pixels stored uncompressed.
    static func png(_ image: GreyImage) -> [UInt8] {
        var raw: [UInt8] = []
        for row in 0..<image.height {
            raw.append(0)
            raw += UnsafeBufferPointer(start: image.pixels + row * image.width, count: image.width)
        }
        var zlib: [UInt8] = [0x78, 0x01]
        var rest = raw[...]
        while !rest.isEmpty {
            let part = rest.prefix(65_535)
            rest = rest.dropFirst(part.count)
            let (low, high) = (UInt8(part.count & 255), UInt8(part.count >> 8))
            zlib += [rest.isEmpty ? 1 : 0, low, high, ~low, ~high]
            zlib += part
        }
        var a: UInt32 = 1
        var b: UInt32 = 0
        for byte in raw {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        zlib += big32(b << 16 | a)
        return header(width: image.width, height: image.height) + chunk("IDAT", zlib) + chunk("IEND", [])
    }

    /// The signature and first chunk of an 8-bit grey PNG.
    static func header(width: Int, height: Int) -> [UInt8] {
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            + chunk("IHDR", big32(UInt32(width)) + big32(UInt32(height)) + [8, 0, 0, 0, 0])
    }

    static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(name.utf8) + data
        var crc: UInt32 = .max
        for byte in body {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
        }
        return big32(UInt32(data.count)) + body + big32(~crc)
    }

    private static func big32(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }
}
