/// What a file is, by its content.
package enum FileKind: String, Codable, Sendable {
    case png, jpeg, tiff, pdf, zip

    /// - Parameter start: the first bytes of the file; 1,024 suffice.
    package init?(start: [UInt8]) {
        func has(_ signature: [UInt8], at offset: Int = 0) -> Bool {
            start.dropFirst(offset).starts(with: signature)
        }
        if has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if has([0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if has([0x49, 0x49, 0x2A, 0]) || has([0x4D, 0x4D, 0, 0x2A]) || has([0x49, 0x49, 0x2B, 0])
            || has([0x4D, 0x4D, 0, 0x2B])
        {
            self = .tiff
        } else if has([0x50, 0x4B, 3, 4]) || has([0x50, 0x4B, 5, 6]) {
            self = .zip
        } else if start.prefix(1_024).firstRange(of: Array("%PDF-".utf8)) != nil {
            // Some programs write a line before it, and readers accept that.
            self = .pdf
        } else {
            return nil
        }
    }

    /// A sentence for a file that is none of these: what it seems to be and what to do.
    package static func advice(start: [UInt8]) -> String {
        let what = "Upload PNG, JPEG, TIFF or PDF, or a ZIP of them."
        func has(_ signature: String, at offset: Int = 0) -> Bool {
            start.dropFirst(offset).starts(with: signature.utf8)
        }
        return if start.isEmpty {
            "The file is empty. \(what)"
        } else if has("ftypheic", at: 4) || has("ftypheix", at: 4) || has("ftypmif1", at: 4) || has("ftypavif", at: 4) {
            "This is a HEIC or AVIF photo. Save it as JPEG and upload that."
        } else if has("RIFF"), has("WEBP", at: 8) {
            "This is a WebP image. Save it as JPEG or PNG and upload that."
        } else if has("GIF8") || has("BM") {
            "This is a GIF or BMP image. Save it as PNG and upload that."
        } else if has("Rar!") || start.starts(with: [0x37, 0x7A, 0xBC, 0xAF]) || start.starts(with: [0x1F, 0x8B]) {
            "This is an archive of another kind than ZIP. Pack the scans as ZIP, or upload them one by one."
        } else {
            "This is no image. \(what)"
        }
    }
}
