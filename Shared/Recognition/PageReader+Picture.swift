import CVision
package import Domain

extension PageReader {
    /// Pixels of the longer side of a picture at most.
    private static let longestSide = 2400.0

    /// A part of a page as it lies flat, turned upright, as a grey JPEG: what people look at who may not see the whole page.
    /// - Parameters:
    ///   - page: The page of a TIFF that has several, from 0.
    ///   - layout: Of the page that is in the image, alone.
    ///   - area: In layout units, inside the page.
    /// - Throws: `ReadingFailure` with a code that tells why the page cannot be found in the image.
    package func cutOut(
        _ bytes: [UInt8], page imageIndex: Int, layout: SheetLayout, expectedExam: ExamID?, area: Box
    ) throws(ReadingFailure) -> [UInt8] {
        guard let page = layout.pages.first, layout.pages.allSatisfy(\.isReadable),
            (1...page.width).contains(area.width), (1...page.height).contains(area.height)
        else {
            throw ReadingFailure(.noSheetFound, "the layout has no such area")
        }
        _ = try decoder.decode(bytes, page: imageIndex, into: source, sufficientSide: 2300)
        try locator.prepare(source)
        return try flat(area, of: try locate(layout, expectedExam: expectedExam))
    }

    /// A whole page as a grey JPEG: flat and upright where it is found, else as it was scanned.
    /// - Parameters:
    ///   - page: The page of a TIFF that has several, from 0.
    ///   - layout: Of all pages it may be.
    /// - Throws: `ReadingFailure` when the bytes are no image that can be decoded.
    package func picture(
        _ bytes: [UInt8], page imageIndex: Int, layout: SheetLayout, expectedExam: ExamID?
    ) throws(ReadingFailure) -> [UInt8] {
        _ = try decoder.decode(bytes, page: imageIndex, into: source, sufficientSide: 2300)
        if !layout.pages.isEmpty, layout.pages.allSatisfy(\.isReadable) {
            do throws(ReadingFailure) {
                try locator.prepare(source)
                let found = try locate(layout, expectedExam: expectedExam)
                let (width, height) = (found.page.width, found.page.height)
                return try flat(Box(x: width / 2, y: height / 2, width: width, height: height), of: found)
            } catch {
                // Whoever looks at it sees why.
            }
        }
        let scale = min(1, Self.longestSide / Double(max(source.width, source.height)))
        guard scale < 1 else { return try jpeg(of: source) }
        let image = GreyImage()
        image.reshape(
            width: max(1, Int(Double(source.width) * scale)), height: max(1, Int(Double(source.height) * scale)))
        guard vision_resize(source.view, image.view) == VisionOK else {
            throw ReadingFailure(.readerCrashed, "the image cannot be made smaller")
        }
        return try jpeg(of: image)
    }

    private func flat(_ area: Box, of found: LocatedPage) throws(ReadingFailure) -> [UInt8] {
        // As fine as the scan is.
        let scale = min(max(found.sourceScale, 4), 12, Self.longestSide / max(area.width, area.height))
        let image = GreyImage()
        image.reshape(
            width: max(8, Int((area.width * scale).rounded())), height: max(8, Int((area.height * scale).rounded())))
        // Pixel centres are at half units.
        let corner = Point(
            x: area.x - area.width / 2 + 0.5 / scale, y: area.y - area.height / 2 + 0.5 / scale)
        PageWarp.warp(
            source, into: image,
            by: found.pose.toSource.after(Homography.scale(1 / scale, 1 / scale, thenMove: corner)))
        return try jpeg(of: image)
    }

    private func jpeg(of image: GreyImage) throws(ReadingFailure) -> [UInt8] {
        let capacity = image.width * image.height + 65_536
        var count: Int64 = -1
        let jpeg = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, filled in
            count = vision_encode_jpeg(image.view, 85, buffer.baseAddress, capacity)
            filled = max(0, Int(count))
        }
        guard count > 0 else { throw ReadingFailure(.readerCrashed, "the image cannot be written as a JPEG") }
        return jpeg
    }
}
