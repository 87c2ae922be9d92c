import CVision
import Domain

/// What a sheet's QR code says: `ZY1:<exam>:<page>:<variant>`, with `:<student>` on a pre-filled sheet.
struct SheetCode: Equatable, Sendable {
    var exam: ExamID
    var page: Int
    var variant: String
    var student: String?

    /// Nil for text that is no code of ours.
    init?(_ payload: String) {
        let parts = payload.split(separator: ":", maxSplits: 4, omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 4, parts[0] == "ZY1", let page = Int(parts[2]), page > 0 else { return nil }
        exam = ExamID(parts[1])
        guard exam.isValid else { return nil }
        self.page = page
        variant = parts[3]
        student = parts.count > 4 && !parts[4].isEmpty ? parts[4] : nil
    }
}

/// A QR code found in an image, its corners in that image's pixels: top left, top right, bottom right, bottom left.
struct FoundCode {
    var code: SheetCode
    var corners: [Point]
}

/// Reads the QR code of a page.
final class PageCodeReader {
    private let crop = GreyImage()

    /// Looks where the layout says it is, after the page was found.
    func read(_ code: PageCode, in source: GreyImage, toSource: Homography) -> FoundCode? {
        // Quiet zone and some error of the corners.
        let side = code.size * 1.5
        let origin = Point(x: code.x - side / 2, y: code.y - side / 2)
        // First at a comfortable resolution, then finer for what blur left.
        for pixels in [240, 420] {
            let scale = Double(pixels) / side
            crop.reshape(width: pixels, height: pixels)
            let matrix = toSource.after(Homography.scale(1 / scale, 1 / scale, thenMove: origin))
            PageWarp.warp(source, into: crop, by: matrix)
            if let found = Self.read(crop, thorough: pixels > 300) { return found.mapped(by: matrix) }
        }
        return nil
    }

    /// Looks for it anywhere.
    func search(_ source: GreyImage) -> FoundCode? {
        Self.read(source, thorough: true)
    }

    private static func read(_ image: GreyImage, thorough: Bool) -> FoundCode? {
        var text = [CChar](repeating: 0, count: 512)
        var corners = [Float](repeating: 0, count: 8)
        let length = vision_read_qr(image.view, thorough ? 1 : 0, &text, Int32(text.count), &corners)
        guard length > 0 else { return nil }
        let payload = String(decoding: text.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let code = SheetCode(payload) else { return nil }
        return FoundCode(
            code: code, corners: (0..<4).map { Point(x: Double(corners[2 * $0]), y: Double(corners[2 * $0 + 1])) })
    }
}

extension FoundCode {
    fileprivate func mapped(by matrix: Homography) -> FoundCode {
        FoundCode(code: code, corners: corners.map { matrix($0) })
    }
}
