/// A PDF with a JPEG a page, copied into it as it is.
struct BoundPDF: Sendable {
    private var bytes = Array("%PDF-1.4\n%\u{E2}\u{E3}\n".utf8)
    /// Where each object begins; the catalogue and the list of pages, objects 1 and 2, come last.
    private var offsets: [Int] = [0, 0]
    private var pages: [Int] = []

    mutating func append(_ jpeg: [UInt8], _ frame: JPEGFrame, dpi: Int) {
        let (width, height) = (points(frame.width, dpi), points(frame.height, dpi))
        let space = frame.components == 1 ? "/DeviceGray" : "/DeviceRGB"
        let image = begin(
            "<</Type/XObject/Subtype/Image/Width \(frame.width)/Height \(frame.height)/ColorSpace\(space)"
                + "/BitsPerComponent 8/Filter/DCTDecode/Length \(jpeg.count)>>")
        write("stream\n")
        bytes += jpeg
        write("\nendstream\nendobj\n")
        let drawing = "q \(width) 0 0 \(height) 0 0 cm /I Do Q"
        let content = begin("<</Length \(drawing.utf8.count)>>")
        write("stream\n\(drawing)\nendstream\nendobj\n")
        pages.append(
            begin(
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 \(width) \(height)]/Contents \(content) 0 R"
                    + "/Resources<</XObject<</I \(image) 0 R>>>>>>"))
        write("endobj\n")
    }

    func finish() -> [UInt8] {
        var copy = self
        copy.close()
        return copy.bytes
    }

    private mutating func close() {
        offsets[0] = bytes.count
        write("1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n")
        offsets[1] = bytes.count
        let kids = pages.map { "\($0) 0 R" }.joined(separator: " ")
        write("2 0 obj\n<</Type/Pages/Count \(pages.count)/Kids[\(kids)]>>\nendobj\n")
        let table = bytes.count
        write("xref\n0 \(offsets.count + 1)\n0000000000 65535 f \n")
        for offset in offsets {
            let digits = "\(offset)"
            write(String(repeating: "0", count: 10 - digits.count) + digits + " 00000 n \n")
        }
        write("trailer\n<</Size \(offsets.count + 1)/Root 1 0 R>>\nstartxref\n\(table)\n%%EOF\n")
    }

    /// - Returns: the number of the object.
    private mutating func begin(_ dictionary: String) -> Int {
        offsets.append(bytes.count)
        write("\(offsets.count) 0 obj\n\(dictionary)\n")
        return offsets.count
    }

    private mutating func write(_ text: String) {
        bytes += text.utf8
    }

    private func points(_ pixels: Int, _ dpi: Int) -> String {
        let hundredths = pixels * 7_200 / dpi
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}
