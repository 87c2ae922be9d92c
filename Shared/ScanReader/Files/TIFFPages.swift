/// The sizes of a TIFF's pages, found by walking its chain of directories; nothing is decoded.
struct TIFFPages {
    enum Failure: Error {
        /// Cut short, or a directory that makes no sense.
        case damaged
        case tooMany
        /// A directory that comes again: the chain never ends.
        case circular
    }

    private(set) var sizes: [ImageSize] = []

    private let file: BoundedFile
    private let isLittleEndian: Bool
    /// BigTIFF counts in 64 bits.
    private let isBig: Bool

    /// Entries a directory may have; real ones have about twenty.
    private static let entryLimit = 4_096

    init(_ file: BoundedFile, maxPages: Int) throws(Failure) {
        let header = file.read(at: 0, count: 16)
        guard header.count >= 8 else { throw .damaged }
        self.file = file
        isLittleEndian = header[0] == 0x49
        isBig = (isLittleEndian ? header[2] : header[3]) == 0x2B
        if isBig, header.count < 16 { throw .damaged }

        var offset = isBig ? number(header, 8, 8) : number(header, 4, 4)
        var seen: Set<Int> = []
        while offset != 0 {
            guard seen.insert(offset).inserted else { throw .circular }
            guard sizes.count < maxPages else { throw .tooMany }
            let (size, next) = try directory(at: offset)
            sizes.append(size)
            offset = next
        }
        if sizes.isEmpty { throw .damaged }
    }

    private func directory(at offset: Int) throws(Failure) -> (ImageSize, next: Int) {
        let countBytes = isBig ? 8 : 2
        let entryBytes = isBig ? 20 : 12
        let linkBytes = isBig ? 8 : 4
        let head = file.read(at: offset, count: countBytes)
        guard head.count == countBytes else { throw .damaged }
        let count = number(head, 0, countBytes)
        guard (1...Self.entryLimit).contains(count) else { throw .damaged }
        let body = file.read(at: offset + countBytes, count: count * entryBytes + linkBytes)
        guard body.count == count * entryBytes + linkBytes else { throw .damaged }

        var width = 0
        var height = 0
        for start in stride(from: 0, to: count * entryBytes, by: entryBytes) {
            let tag = number(body, start, 2)
            guard tag == 256 || tag == 257 else { continue }
            let valueBytes: Int
            switch number(body, start + 2, 2) {
            case 3: valueBytes = 2
            case 4: valueBytes = 4
            case 16 where isBig: valueBytes = 8
            default: throw .damaged
            }
            let value = number(body, start + (isBig ? 12 : 8), valueBytes)
            if tag == 256 { width = value } else { height = value }
        }
        guard let size = ImageSize(width: width, height: height) else { throw .damaged }
        return (size, number(body, count * entryBytes, linkBytes))
    }

    /// Numbers beyond what an `Int` holds become the largest, which is beyond every file's end.
    private func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> Int {
        let value = isLittleEndian ? bytes.littleEndian(offset, count) : bytes.bigEndian(offset, count)
        return value < 0 ? .max : value
    }
}
