/// The scans of many sheets in one file, as a scanner with a document feeder writes a whole class. Page after page is
/// appended; nothing of a page is held but its JPEG in the file.
package struct BoundScans: Sendable {
    package enum Format: String, Sendable, CaseIterable {
        case pdf, tiff, zip
    }

    package struct NotAJPEG: Error {}

    private enum Writer: Sendable {
        case pdf(BoundPDF)
        case tiff(BoundTIFF)
        case zip(BoundZIP)
    }

    package let format: Format
    /// Dots an inch of every page.
    private let dpi: Int
    private var writer: Writer
    package private(set) var pages = 0

    package init(_ format: Format, dpi: Int) {
        self.format = format
        self.dpi = dpi
        writer =
            switch format {
            case .pdf: .pdf(BoundPDF())
            case .tiff: .tiff(BoundTIFF())
            case .zip: .zip(BoundZIP())
            }
    }

    /// - Throws: `NotAJPEG`; for a TIFF also when the JPEG is in colour, which this writer does not bind.
    package mutating func append(jpeg: [UInt8], name: String) throws(NotAJPEG) {
        let frame = try JPEGFrame(jpeg)
        switch writer {
        case .pdf(var pdf):
            writer = .zip(BoundZIP())  // So that the bytes have one owner and are appended in place.
            pdf.append(jpeg, frame, dpi: dpi)
            writer = .pdf(pdf)
        case .tiff(var tiff):
            guard frame.components == 1 else { throw NotAJPEG() }
            writer = .zip(BoundZIP())
            tiff.append(jpeg, frame, dpi: dpi)
            writer = .tiff(tiff)
        case .zip(var zip):
            writer = .pdf(BoundPDF())
            zip.append(jpeg, name: name)
            writer = .zip(zip)
        }
        pages += 1
    }

    /// The whole file.
    package func finish() -> [UInt8] {
        switch writer {
        case .pdf(let pdf): pdf.finish()
        case .tiff(let tiff): tiff.bytes
        case .zip(let zip): zip.finish()
        }
    }
}

/// What a JPEG says of its size.
struct JPEGFrame {
    let width: Int
    let height: Int
    let components: Int

    init(_ bytes: [UInt8]) throws(BoundScans.NotAJPEG) {
        var place = 2
        while place + 9 < bytes.count, bytes[place] == 0xFF {
            let marker = bytes[place + 1]
            func word(_ offset: Int) -> Int { Int(bytes[place + offset]) << 8 | Int(bytes[place + offset + 1]) }
            if (0xC0...0xC2).contains(marker) {
                (height, width, components) = (word(5), word(7), Int(bytes[place + 9]))
                return
            }
            place += 2 + word(2)
        }
        throw BoundScans.NotAJPEG()
    }
}
