internal import Glibc

/// Names in ZIP files: UTF-8, or what the computer that packed it used. For schools in China that is GB 18030, which
/// Windows writes without saying so.
enum ZipEntryName {
    /// Longest name kept, in characters.
    static let limit = 200

    static func decode(_ bytes: [UInt8]) -> String {
        let text = String(validating: bytes, as: UTF8.self) ?? chinese(bytes) ?? String(decoding: bytes, as: UTF8.self)
        let printable = text.unicodeScalars.map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            // Bidirectional overrides and the like could make one name look like another.
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate: "\u{FFFD}"
            default: scalar
            }
        }
        var name = String(String.UnicodeScalarView(printable))
        if name.count > limit { name = "…" + name.suffix(limit - 1) }
        return name
    }

    private static func chinese(_ bytes: [UInt8]) -> String? {
        guard let converter = iconv_open("UTF-8", "GB18030"), converter != iconv_t(bitPattern: -1) else { return nil }
        defer { iconv_close(converter) }
        var source = bytes.map(CChar.init(bitPattern:))
        // Four bytes of UTF-8 come from at least two.
        var target = [CChar](repeating: 0, count: bytes.count * 2 + 4)
        let written = source.withUnsafeMutableBufferPointer { source in
            target.withUnsafeMutableBufferPointer { target -> Int? in
                var from = source.baseAddress
                var to = target.baseAddress
                var fromLeft = source.count
                var toLeft = target.count
                let result = iconv(converter, &from, &fromLeft, &to, &toLeft)
                return result == Int(bitPattern: UInt.max) || fromLeft > 0 ? nil : target.count - toLeft
            }
        }
        return written.map { String(decoding: target[..<$0].map(UInt8.init(bitPattern:)), as: UTF8.self) }
    }
}
