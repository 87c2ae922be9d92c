/// Width and height of an image in pixels, from its header alone.
struct ImageSize: Equatable {
    var width: Int
    var height: Int

    var pixels: Int { width.multipliedReportingOverflow(by: height).overflow ? .max : width * height }

    /// Nil when the header is cut short or senseless.
    init?(png file: BoundedFile) {
        let header = file.read(at: 0, count: 24)
        guard header.count == 24, Array(header[12..<16]) == Array("IHDR".utf8) else { return nil }
        self.init(width: header.bigEndian(16, 4), height: header.bigEndian(20, 4))
    }

    /// Walks the segments up to the frame header, at most `segments` of them.
    init?(jpeg file: BoundedFile, segments: Int = 4_096) {
        var offset = 2
        for _ in 0..<segments {
            let head = file.read(at: offset, count: 9)
            guard head.count >= 4, head[0] == 0xFF else { return nil }
            switch head[1] {
            case 0xFF:
                // A fill byte before a marker.
                offset += 1
                continue
            case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
                guard head.count == 9 else { return nil }
                self.init(width: head.bigEndian(7, 2), height: head.bigEndian(5, 2))
                return
            case 0xD9, 0xDA:
                return nil
            default:
                let length = head.bigEndian(2, 2)
                guard length >= 2 else { return nil }
                offset += 2 + length
            }
        }
        return nil
    }

    /// - Parameters are untrusted: nil unless both are positive.
    init?(width: Int, height: Int) {
        guard width > 0, height > 0 else { return nil }
        self.width = width
        self.height = height
    }
}

extension [UInt8] {
    /// `count` bytes from `offset`, most significant first; the caller has checked that they are there.
    func bigEndian(_ offset: Int, _ count: Int) -> Int {
        self[offset..<offset + count].reduce(0) { $0 << 8 | Int($1) }
    }

    func littleEndian(_ offset: Int, _ count: Int) -> Int {
        self[offset..<offset + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
