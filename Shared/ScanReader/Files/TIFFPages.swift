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

    init(_ file: BoundedFile, maxPages: Int) throws(Failure) {
        guard let header = TIFFHeader(file) else { throw .damaged }
        var offset = header.first
        var seen: Set<Int> = []
        while offset != 0 {
            guard seen.insert(offset).inserted else { throw .circular }
            guard sizes.count < maxPages else { throw .tooMany }
            guard let entries = header.entries(at: offset, in: file), let next = header.next(after: offset, in: file),
                let size = Self.size(entries, header)
            else { throw .damaged }
            sizes.append(size)
            offset = next
        }
        if sizes.isEmpty { throw .damaged }
    }

    private static func size(_ entries: [TIFFHeader.Entry], _ header: TIFFHeader) -> ImageSize? {
        var width = 0
        var height = 0
        for entry in entries where entry.tag == 256 || entry.tag == 257 {
            let bytes: Int
            switch entry.type {
            case 3: bytes = 2
            case 4: bytes = 4
            case 16 where header.isBig: bytes = 8
            default: return nil
            }
            let value = header.number(entry.inline, 0, bytes)
            if entry.tag == 256 { width = value } else { height = value }
        }
        return ImageSize(width: width, height: height)
    }
}
