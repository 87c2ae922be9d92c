import Testing

@testable import ScanReader

@Suite struct TIFFPageCopyTests {
    enum Form: CaseIterable {
        case littleEndian, bigEndian, bigTIFF
    }

    /// A TIFF whose pages have the given strips, each a row of as many grey pixels as the first has bytes.
    private static func tiff(_ pages: [[[UInt8]]], _ form: Form) -> [UInt8] {
        let isBig = form == .bigTIFF
        func number(_ value: Int, _ count: Int) -> [UInt8] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
            return form == .bigEndian ? bytes.reversed() : bytes
        }
        let word = isBig ? 8 : 4
        var file: [UInt8] = form == .bigEndian ? [0x4D, 0x4D] : [0x49, 0x49]
        file += isBig ? number(43, 2) + number(8, 2) + number(0, 2) : number(42, 2)
        var link = file.count
        file += number(0, word)
        for strips in pages {
            let offsets = strips.map { strip in
                defer { file += strip }
                return file.count
            }
            let places = file.count
            file += offsets.flatMap { number($0, word) }
            let counts = file.count
            file += strips.flatMap { number($0.count, word) }
            let name = file.count
            file += Array("not to be copied\0".utf8)
            if file.count % 2 == 1 { file.append(0) }
            file.replaceSubrange(link..<link + word, with: number(file.count, word))
            let long = isBig ? 16 : 4
            func entry(_ tag: Int, _ type: Int, _ count: Int, _ value: Int) -> [UInt8] {
                let size = type == 3 ? 2 : word
                return number(tag, 2) + number(type, 2) + number(count, word) + number(value, size)
                    + [UInt8](repeating: 0, count: word - size)
            }
            let isOne = strips.count == 1
            let entries = [
                entry(256, long, 1, strips[0].count), entry(257, 3, 1, strips.count), entry(258, 3, 1, 8),
                entry(259, 3, 1, 1), entry(262, 3, 1, 1), entry(270, 2, 17, name),
                entry(273, long, strips.count, isOne ? offsets[0] : places), entry(278, 3, 1, 1),
                entry(279, long, strips.count, isOne ? strips[0].count : counts),
            ]
            file += number(entries.count, isBig ? 8 : 2) + entries.joined()
            link = file.count
            file += number(0, word)
        }
        return file
    }

    private static let pages: [[[UInt8]]] = [
        [[1, 2, 3, 4], [5, 6, 7, 8]], [[9, 10, 11]], [[12, 13], [14, 15], [16, 17]],
    ]

    @Test(arguments: Form.allCases, [0, 1, 2])
    func `a page is copied with its data and nothing of the others`(form: Form, page: Int) throws {
        let file = BoundedFile(Self.tiff(Self.pages, form))
        let copy = try #require(TIFFPageCopy.bytes(ofPage: page, in: file, limit: 10_000))
        let result = BoundedFile(copy)
        let strips = Self.pages[page]
        #expect(try TIFFPages(result, maxPages: 5).sizes == [ImageSize(width: strips[0].count, height: strips.count)])
        let header = try #require(TIFFHeader(result))
        #expect(!header.isBig)
        let entries = try #require(header.entries(at: header.first, in: result))
        #expect(entries.map(\.tag) == entries.map(\.tag).sorted() && !entries.contains { $0.tag == 270 })
        func values(_ tag: Int) throws -> [Int] {
            let entry = try #require(entries.first { $0.tag == tag })
            let bytes =
                entry.count == 1
                ? entry.inline : result.read(at: header.number(entry.inline, 0, 4), count: 4 * entry.count)
            return (0..<entry.count).map { header.number(bytes, 4 * $0, 4) }
        }
        let found = try zip(values(273), values(279)).map { result.read(at: $0, count: $1) }
        #expect(found == strips)
        #expect(copy.count < 180 && result.count < file.count)
    }

    @Test func `a page that is not there, cut short or too large is left to the file as a whole`() {
        let bytes = Self.tiff(Self.pages, .littleEndian)
        #expect(TIFFPageCopy.bytes(ofPage: 3, in: BoundedFile(bytes), limit: 10_000) == nil)
        #expect(TIFFPageCopy.bytes(ofPage: 2, in: BoundedFile(Array(bytes.dropLast(20))), limit: 10_000) == nil)
        #expect(TIFFPageCopy.bytes(ofPage: 0, in: BoundedFile(bytes), limit: 100) == nil)
        #expect(TIFFPageCopy.bytes(ofPage: 0, in: BoundedFile(Array(bytes.prefix(6))), limit: 10_000) == nil)
    }

    @Test func `whatever stands in a directory, nothing breaks`() {
        let bytes = Self.tiff(Self.pages, .littleEndian)
        for place in bytes.indices {
            for value: UInt8 in [0, 0x7F, 0xFF] {
                var broken = bytes
                broken[place] = value
                for page in 0..<3 {
                    let copy = TIFFPageCopy.bytes(ofPage: page, in: BoundedFile(broken), limit: 1_000)
                    #expect((copy?.count ?? 0) <= 1_000)
                }
            }
        }
    }
}
