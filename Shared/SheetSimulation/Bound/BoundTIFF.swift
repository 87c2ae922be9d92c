/// A TIFF of many pages, each a grey JPEG in one strip (compression 7), little-endian.
struct BoundTIFF: Sendable {
    private(set) var bytes = Array("II".utf8) + [42, 0, 0, 0, 0, 0]
    /// Where the place of the next directory is to be written.
    private var link = 4

    mutating func append(_ jpeg: [UInt8], _ frame: JPEGFrame, dpi: Int) {
        let strip = bytes.count
        bytes += jpeg
        if bytes.count % 2 == 1 { bytes.append(0) }
        let resolution = bytes.count
        append(dpi, 4)
        append(1, 4)
        replace(at: link, with: bytes.count)

        let (short, long, rational) = (3, 4, 5)
        let entries: [(tag: Int, type: Int, value: Int)] = [
            (256, long, frame.width), (257, long, frame.height), (258, short, 8), (259, short, 7), (262, short, 1),
            (273, long, strip), (277, short, 1), (278, long, frame.height), (279, long, jpeg.count),
            (282, rational, resolution), (283, rational, resolution), (296, short, 2),
        ]
        append(entries.count, 2)
        for entry in entries {
            append(entry.tag, 2)
            append(entry.type, 2)
            append(1, 4)
            append(entry.value, 4)
        }
        link = bytes.count
        append(0, 4)
    }

    private mutating func append(_ value: Int, _ count: Int) {
        for index in 0..<count { bytes.append(UInt8(value >> (8 * index) & 255)) }
    }

    private mutating func replace(at place: Int, with value: Int) {
        for index in 0..<4 { bytes[place + index] = UInt8(value >> (8 * index) & 255) }
    }
}
