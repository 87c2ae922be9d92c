/// How a browser names a file it is sent (RFC 6266).
enum ContentDisposition {
    static func inline(_ name: String) -> String { "inline; \(filename(name))" }

    static func attachment(_ name: String) -> String { "attachment; \(filename(name))" }

    /// ASCII for old readers, and the name itself in UTF-8.
    private static func filename(_ name: String) -> String {
        let plain = String(
            name.unicodeScalars.map { scalar -> Character in
                let isPlain =
                    scalar.isASCII
                    && (UInt8(ascii: scalar).isASCIIAlphanumeric || "-_. ".unicodeScalars.contains(scalar))
                return isPlain ? Character(scalar) : "_"
            })
        let encoded = name.utf8.map { byte -> String in
            if byte.isASCIIAlphanumeric || "-_.".utf8.contains(byte) { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return byte < 16 ? "%0\(digits)" : "%\(digits)"
        }.joined()
        return "filename=\"\(plain)\"; filename*=UTF-8''\(encoded)"
    }
}
