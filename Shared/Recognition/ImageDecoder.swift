import CVision
import Domain

/// Turns bytes into grey pixels without ever holding more of them than allowed.
final class ImageDecoder {
    private let maximumPixels: Int
    private let scratch = GreyImage()

    init(maximumPixels: Int) {
        self.maximumPixels = maximumPixels
    }

    /// Decodes into `image`, shrunk by a whole factor while its longer side stays at or above `sufficientSide`.
    /// - Returns: The factor.
    /// - Throws: `.notAnImage`, `.damagedImage` or `.imageTooLarge`.
    func decode(
        _ bytes: [UInt8], page: Int, into image: GreyImage, sufficientSide: Int
    ) throws(ReadingFailure) -> Int {
        let header = try ImageHeader(bytes, page: page)
        guard header.width <= 65_535, header.height <= 65_535,
            header.width * header.height <= maximumPixels
        else {
            throw ReadingFailure(
                .imageTooLarge,
                "the image has \(header.width)×\(header.height) pixels, more than \(maximumPixels) are not read")
        }
        var factor = 1
        while max(header.width, header.height) / (factor * 2) >= sufficientSide, factor < 8 { factor *= 2 }
        switch header.format {
        case .jpeg:
            try decodeJPEG(bytes, header, into: image, factor: factor)
        case .png:
            try decodeWhole(bytes, header, into: image, factor: factor)
        case .tiff:
            try decodeWhole(Self.selecting(header.directory, of: bytes), header, into: image, factor: factor)
        }
        try turnUpright(image, orientation: header.orientation)
        return factor
    }

    private func decodeJPEG(
        _ bytes: [UInt8], _ header: ImageHeader, into image: GreyImage, factor: Int
    ) throws(ReadingFailure) {
        image.reshape(width: (header.width + factor - 1) / factor, height: (header.height + factor - 1) / factor)
        var damage = [CChar](repeating: 0, count: 256)
        let status = bytes.withUnsafeBufferPointer { source in
            vision_decode_jpeg(source.baseAddress, source.count, image.view, &damage, damage.count)
        }
        let reason = String(decoding: damage.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        switch status {
        case VisionOK:
            return
        case VisionUnreadable where !reason.contains("onvert"):
            throw ReadingFailure(.damagedImage, "the JPEG cannot be decoded: \(reason)")
        case VisionDamaged:
            throw ReadingFailure(.damagedImage, "the JPEG is damaged: \(reason)")
        default:
            // Colour models the fast decoder does not turn into grey (CMYK).
            try decodeWhole(bytes, header, into: image, factor: factor)
        }
    }

    private func decodeWhole(
        _ bytes: [UInt8], _ header: ImageHeader, into image: GreyImage, factor: Int
    ) throws(ReadingFailure) {
        let target = factor == 1 ? image : scratch
        target.reshape(width: header.width, height: header.height)
        let status = bytes.withUnsafeBufferPointer { source in
            vision_decode(source.baseAddress, source.count, target.view)
        }
        guard status == VisionOK else {
            throw ReadingFailure(.damagedImage, "the image's pixels cannot be decoded")
        }
        guard factor > 1 else { return }
        image.reshape(width: max(1, header.width / factor), height: max(1, header.height / factor))
        _ = vision_resize(scratch.view, image.view)
        scratch.reshape(width: 1, height: 1)
    }

    private func turnUpright(_ image: GreyImage, orientation: Int) throws(ReadingFailure) {
        // EXIF: whether to mirror first, then quarter turns clockwise.
        let steps: [(mirror: Int32, turns: Int32)] = [
            (0, 0), (1, 0), (0, 2), (1, 2), (1, 3), (0, 1), (1, 1), (0, 3),
        ]
        let step = steps[orientation - 1]
        guard step != (0, 0) else { return }
        scratch.reshape(width: image.width, height: image.height)
        scratch.pixels.update(from: image.pixels, count: image.width * image.height)
        if step.turns % 2 == 1 { image.reshape(width: image.height, height: image.width) }
        _ = vision_turn(scratch.view, image.view, step.turns, step.mirror)
    }

    /// The same TIFF with the wanted page as its first, since the decoder reads that one.
    private static func selecting(_ directory: Int, of bytes: [UInt8]) -> [UInt8] {
        var copy = bytes
        let big = bytes[0] == 0x4D
        for i in 0..<4 {
            copy[4 + i] = UInt8(truncatingIfNeeded: directory >> (8 * (big ? 3 - i : i)))
        }
        return copy
    }
}
