/// One page of a TIFF as a TIFF of its own: its directory and its data, whatever the others are. So a file of two hundred
/// pages is read once, and not two hundred times. Nothing is decoded.
struct TIFFPageCopy {
    private struct Entry {
        var tag: Int
        /// Of the copy, which is no BigTIFF.
        var type: Int
        var count: Int
        /// In the file's byte order, of whatever length.
        var value: [UInt8]
    }

    /// What decoding needs; names, previews and private data stay behind.
    private static let kept: Set<Int> = [
        254, 256, 257, 258, 259, 262, 266, 274, 277, 278, 279, 282, 283, 284, 292, 293, 296, 317, 320, 322, 323, 325,
        326, 327, 328, 338, 339, 347, 529, 530, 531, 532,
    ]
    /// Strips or tiles, and where they are.
    private static let places: [Int: Int] = [273: 279, 324: 325]
    /// Bytes of a value, by type.
    private static let sizes = [
        1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8, 17: 8,
    ]
    private static let maxPieces = 1 << 17

    private let file: BoundedFile
    private let header: TIFFHeader

    /// - Parameters:
    ///   - page: 0 for the first.
    ///   - limit: of the copy, in bytes.
    /// - Returns: nil when the page is of a kind this does not know or is damaged, so that the file as a whole is what
    ///   tells more.
    static func bytes(ofPage page: Int, in file: BoundedFile, limit: Int) -> [UInt8]? {
        guard let header = TIFFHeader(file) else { return nil }
        return TIFFPageCopy(file: file, header: header).copy(page, limit: limit)
    }

    private func copy(_ page: Int, limit: Int) -> [UInt8]? {
        var offset = header.first
        for _ in 0..<page {
            guard let next = header.next(after: offset, in: file) else { return nil }
            offset = next
        }
        guard let found = header.entries(at: offset, in: file) else { return nil }
        var entries: [Entry] = []
        var pieces: (tag: Int, offsets: [Int], counts: [Int])?
        for entry in found {
            if let counts = Self.places[entry.tag] {
                guard pieces == nil, let offsets = numbers(entry),
                    let counts = found.first(where: { $0.tag == counts }).flatMap(numbers),
                    counts.count == offsets.count
                else { return nil }
                pieces = (entry.tag, offsets, counts)
            } else if Self.kept.contains(entry.tag) {
                guard let copy = copied(entry) else { return nil }
                entries.append(copy)
            }
        }
        // Compression 6, of old, has its tables anywhere in the file.
        guard let pieces, !entries.contains(where: { $0.tag == 259 && number($0.value) == 6 }) else { return nil }
        return assemble(entries, pieces.tag, pieces.offsets, pieces.counts, limit: limit)
    }

    private func assemble(
        _ entries: [Entry], _ tag: Int, _ offsets: [Int], _ counts: [Int], limit: Int
    ) -> [UInt8]? {
        let total = counts.reduce(0) { sum, count in
            let (sum, overflow) = sum.addingReportingOverflow(count)
            return overflow ? .max : sum
        }
        let head = 8 + 2 + (entries.count + 1) * 12 + 4
        let values = entries.reduce(0) { $0 + ($1.value.count + 1) / 2 * 2 } + offsets.count * 4
        guard total > 0, total <= limit - head - values else { return nil }

        var place = head + values
        var entries = entries
        var newOffsets: [UInt8] = []
        for count in counts {
            newOffsets += header.bytes(place, 4)
            place += count
        }
        entries.append(Entry(tag: tag, type: 4, count: offsets.count, value: newOffsets))
        entries.sort { $0.tag < $1.tag }

        var copy = header.start + header.bytes(8, 4) + header.bytes(entries.count, 2)
        copy.reserveCapacity(place)
        var outside: [UInt8] = []
        for entry in entries {
            copy += header.bytes(entry.tag, 2) + header.bytes(entry.type, 2) + header.bytes(entry.count, 4)
            if entry.value.count <= 4 {
                copy += entry.value + [UInt8](repeating: 0, count: 4 - entry.value.count)
            } else {
                copy += header.bytes(head + outside.count, 4)
                outside += entry.value
                if outside.count % 2 == 1 { outside.append(0) }
            }
        }
        copy += header.bytes(0, 4) + outside
        copy += [UInt8](repeating: 0, count: head + values - copy.count)
        for (offset, count) in zip(offsets, counts) {
            let piece = file.read(at: offset, count: count)
            guard piece.count == count else { return nil }
            copy += piece
        }
        return copy
    }

    // MARK: Values

    private func copied(_ entry: TIFFHeader.Entry) -> Entry? {
        if entry.type == 16 || entry.type == 17 {
            guard let numbers = numbers(entry), numbers.allSatisfy({ $0 <= UInt32.max }) else { return nil }
            return Entry(
                tag: entry.tag, type: 4, count: numbers.count, value: numbers.flatMap { header.bytes($0, 4) })
        }
        guard let value = value(entry) else { return nil }
        return Entry(tag: entry.tag, type: entry.type, count: entry.count, value: value)
    }

    private func numbers(_ entry: TIFFHeader.Entry) -> [Int]? {
        guard let size = Self.sizes[entry.type], [3, 4, 16].contains(entry.type), let value = value(entry) else {
            return nil
        }
        return stride(from: 0, to: value.count, by: size).map { header.number(value, $0, size) }
    }

    private func number(_ value: [UInt8]) -> Int {
        header.number(value, 0, min(value.count, 2))
    }

    private func value(_ entry: TIFFHeader.Entry) -> [UInt8]? {
        guard let size = Self.sizes[entry.type], (1...Self.maxPieces).contains(entry.count) else { return nil }
        let count = size * entry.count
        if count <= entry.inline.count { return Array(entry.inline.prefix(count)) }
        let value = file.read(at: header.number(entry.inline, 0, entry.inline.count), count: count)
        return value.count == count ? value : nil
    }
}
