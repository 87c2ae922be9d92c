/// How a TIFF counts, and its directories as they stand in the file.
struct TIFFHeader {
    struct Entry {
        var tag: Int
        var type: Int
        var count: Int
        /// The value, or where it is.
        var inline: [UInt8]
    }

    /// The first four bytes of a TIFF of the same byte order that is no BigTIFF.
    let start: [UInt8]
    let isLittleEndian: Bool
    /// BigTIFF counts in 64 bits.
    let isBig: Bool
    /// Where the first directory is.
    private(set) var first = 0

    /// Entries a directory may have; real ones have about twenty.
    private static let entryLimit = 4_096

    /// Nil when the file is too short.
    init?(_ file: BoundedFile) {
        let header = file.read(at: 0, count: 16)
        guard header.count >= 8 else { return nil }
        isLittleEndian = header[0] == 0x49
        isBig = (isLittleEndian ? header[2] : header[3]) == 0x2B
        start = isLittleEndian ? [0x49, 0x49, 0x2A, 0] : [0x4D, 0x4D, 0, 0x2A]
        if isBig, header.count < 16 { return nil }
        first = isBig ? number(header, 8, 8) : number(header, 4, 4)
    }

    /// The entries of a directory; nil when it is cut short or makes no sense.
    func entries(at offset: Int, in file: BoundedFile) -> [Entry]? {
        guard let count = entryCount(at: offset, in: file) else { return nil }
        let body = file.read(at: offset + countBytes, count: count * entryBytes)
        guard body.count == count * entryBytes else { return nil }
        let size = isBig ? 8 : 4
        return stride(from: 0, to: body.count, by: entryBytes).map { place in
            Entry(
                tag: number(body, place, 2), type: number(body, place + 2, 2), count: number(body, place + 4, size),
                inline: Array(body[place + 4 + size..<place + 4 + 2 * size]))
        }
    }

    /// Where the directory behind the one at `offset` is, 0 for none; nil when that one makes no sense.
    func next(after offset: Int, in file: BoundedFile) -> Int? {
        guard let count = entryCount(at: offset, in: file) else { return nil }
        let size = isBig ? 8 : 4
        let link = file.read(at: offset + countBytes + count * entryBytes, count: size)
        return link.count == size ? number(link, 0, size) : nil
    }

    private var countBytes: Int { isBig ? 8 : 2 }
    private var entryBytes: Int { isBig ? 20 : 12 }

    private func entryCount(at offset: Int, in file: BoundedFile) -> Int? {
        let head = file.read(at: offset, count: countBytes)
        guard offset > 0, head.count == countBytes else { return nil }
        let count = number(head, 0, countBytes)
        return (1...Self.entryLimit).contains(count) ? count : nil
    }

    /// Numbers beyond what an `Int` holds become the largest, which is beyond every file's end.
    func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> Int {
        let value = isLittleEndian ? bytes.littleEndian(offset, count) : bytes.bigEndian(offset, count)
        return value < 0 ? .max : value
    }

    /// `number` in the file's byte order.
    func bytes(_ number: Int, _ count: Int) -> [UInt8] {
        let little = (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        return isLittleEndian ? little : little.reversed()
    }
}
