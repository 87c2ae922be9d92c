import Domain

/// What the first bytes of a picture say, read without decoding a pixel.
struct ImageHeader: Equatable {
    enum Format {
        case png, jpeg, tiff
    }

    var format: Format
    /// Pixels as stored, before any orientation tag is applied.
    var width: Int
    var height: Int
    /// The EXIF or TIFF orientation, 1 to 8; 1 is upright.
    var orientation = 1
    /// Where the directory of the wanted page starts, in a TIFF.
    var directory = 0

    /// Reads the header of page `page` (0 for the first; only a TIFF has more).
    /// - Throws: `.notAnImage` for other formats, `.damagedImage` when the header is cut short or the end is missing.
    init(_ bytes: [UInt8], page: Int) throws(ReadingFailure) {
        let source = ByteReader(bytes)
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            try self.init(png: source)
        } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            try self.init(jpeg: source)
        } else if bytes.starts(with: [0x49, 0x49, 0x2A, 0]) || bytes.starts(with: [0x4D, 0x4D, 0, 0x2A]) {
            try self.init(tiff: source, page: page)
        } else {
            throw ReadingFailure(.notAnImage, "the file is no PNG, JPEG or TIFF")
        }
        guard format == .tiff || page == 0 else {
            throw ReadingFailure(.damagedImage, "the file has one page, page \(page + 1) was asked for")
        }
        guard width > 0, height > 0 else { throw ReadingFailure(.damagedImage, "the image is \(width)×\(height)") }
    }

    private init(png source: ByteReader) throws(ReadingFailure) {
        let truncated = ReadingFailure(.damagedImage, "the PNG is cut short")
        guard source.matches("IHDR", at: 12), let width = source.big32(16), let height = source.big32(20) else {
            throw truncated
        }
        self.init(format: .png, width: width, height: height)
        // Decoders accept a file without its end; the missing rows would read as paper.
        var offset = 8
        while true {
            guard let length = source.big32(offset), source.contains(offset + 8 + length + 3) else { throw truncated }
            if source.matches("IEND", at: offset + 4) { return }
            offset += 12 + length
        }
    }

    private init(jpeg source: ByteReader) throws(ReadingFailure) {
        let truncated = ReadingFailure(.damagedImage, "the JPEG is cut short")
        var offset = 2
        var size: (Int, Int)?
        var orientation = 1
        while true {
            guard let lead = source[offset], let marker = source[offset + 1] else { throw truncated }
            guard lead == 0xFF else { throw ReadingFailure(.damagedImage, "the JPEG has a broken segment") }
            if marker == 0xFF {
                offset += 1
                continue
            }
            guard let length = source.big16(offset + 2), length >= 2 else { throw truncated }
            switch marker {
            case 0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF:
                guard let height = source.big16(offset + 5), let width = source.big16(offset + 7) else {
                    throw truncated
                }
                size = (width, height)
            case 0xE1 where source.matches("Exif\0\0", at: offset + 4):
                let tags = TIFFDirectory(source, base: offset + 10, limit: offset + 2 + length)
                orientation = tags?.orientation ?? 1
            case 0xDA:
                guard let (width, height) = size else {
                    throw ReadingFailure(.damagedImage, "the JPEG does not tell its size")
                }
                self.init(format: .jpeg, width: width, height: height, orientation: orientation)
                // Whatever follows the pictures, an end marker must be there.
                guard source.hasEndOfImage(from: offset) else { throw truncated }
                return
            default:
                break
            }
            offset += 2 + length
        }
    }

    private init(tiff source: ByteReader, page: Int) throws(ReadingFailure) {
        guard let directory = TIFFDirectory(source, base: 0, limit: source.count, page: page) else {
            throw ReadingFailure(.damagedImage, "the TIFF has no page \(page + 1) or is cut short")
        }
        guard let width = directory.width, let height = directory.height else {
            throw ReadingFailure(.damagedImage, "the TIFF does not tell its size")
        }
        self.init(
            format: .tiff, width: width, height: height, orientation: directory.orientation,
            directory: directory.offset)
    }

    private init(format: Format, width: Int, height: Int, orientation: Int = 1, directory: Int = 0) {
        self.format = format
        self.width = width
        self.height = height
        self.orientation = (1...8).contains(orientation) ? orientation : 1
        self.directory = directory
    }

    /// How many pages a picture has: the number of directories of a TIFF (at most `limit`), else 1.
    static func pageCount(_ bytes: [UInt8], limit: Int) -> Int {
        guard bytes.starts(with: [0x49, 0x49, 0x2A, 0]) || bytes.starts(with: [0x4D, 0x4D, 0, 0x2A]) else { return 1 }
        let source = ByteReader(bytes)
        var count = 0
        while count < limit, TIFFDirectory(source, base: 0, limit: bytes.count, page: count) != nil { count += 1 }
        return max(count, 1)
    }
}
