/// Bounds-checked reads from a file's bytes.
struct ByteReader {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var count: Int { bytes.count }

    func contains(_ offset: Int) -> Bool { offset >= 0 && offset < bytes.count }

    subscript(offset: Int) -> Int? {
        contains(offset) ? Int(bytes[offset]) : nil
    }

    func big16(_ offset: Int) -> Int? { number(offset, 2, bigEndian: true) }
    func big32(_ offset: Int) -> Int? { number(offset, 4, bigEndian: true) }

    func number(_ offset: Int, _ size: Int, bigEndian: Bool) -> Int? {
        guard offset >= 0, offset <= bytes.count - size else { return nil }
        var value = 0
        for i in 0..<size {
            value = value << 8 | Int(bytes[offset + (bigEndian ? i : size - 1 - i)])
        }
        return value
    }

    func matches(_ text: String, at offset: Int) -> Bool {
        let expected = Array(text.utf8)
        guard offset >= 0, offset <= bytes.count - expected.count else { return false }
        return bytes[offset..<(offset + expected.count)].elementsEqual(expected)
    }

    /// Whether a JPEG's end marker follows; inside entropy-coded data a 0xFF is always escaped.
    func hasEndOfImage(from offset: Int) -> Bool {
        var place = bytes.count - 2
        while place >= offset {
            if bytes[place] == 0xFF, bytes[place + 1] == 0xD9 { return true }
            place -= 1
        }
        return false
    }
}

/// One directory of a TIFF, or of the EXIF block in a JPEG, which has the same form.
struct TIFFDirectory {
    private(set) var offset = 0
    private(set) var width: Int?
    private(set) var height: Int?
    private(set) var orientation = 1

    /// - Parameters:
    ///   - base: Where the TIFF header starts; offsets in it count from there.
    ///   - limit: The end of the block.
    init?(_ source: ByteReader, base: Int, limit: Int, page: Int = 0) {
        let big = source.matches("MM", at: base)
        guard big || source.matches("II", at: base), limit <= source.count else { return nil }
        func number(_ offset: Int, _ size: Int) -> Int? {
            offset + size <= limit ? source.number(offset, size, bigEndian: big) : nil
        }
        guard var directory = number(base + 4, 4), (0..<10_000).contains(page) else { return nil }
        for _ in 0..<page {
            guard directory >= 8, let entries = number(base + directory, 2),
                let next = number(base + directory + 2 + entries * 12, 4)
            else { return nil }
            directory = next
        }
        guard directory >= 8, let entries = number(base + directory, 2) else { return nil }
        offset = directory
        for entry in 0..<entries {
            let place = base + directory + 2 + entry * 12
            guard let tag = number(place, 2), let type = number(place + 2, 2) else { return nil }
            let value = type == 3 ? number(place + 8, 2) : number(place + 8, 4)
            switch tag {
            case 256: width = value
            case 257: height = value
            case 274: orientation = value ?? 1
            default: break
            }
        }
    }
}
