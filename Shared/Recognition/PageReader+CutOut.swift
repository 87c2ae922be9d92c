import CVision
package import Domain

extension PageReader {
    /// Pixels of the longer side of a cut-out at most.
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
        let found = try locate(layout, expectedExam: expectedExam)
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
        let capacity = image.width * image.height + 65_536
        var count: Int64 = -1
        let jpeg = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, filled in
            count = vision_encode_jpeg(image.view, 85, buffer.baseAddress, capacity)
            filled = max(0, Int(count))
        }
        guard count > 0 else { throw ReadingFailure(.readerCrashed, "the cut-out cannot be written as a JPEG") }
        return jpeg
    }
}
