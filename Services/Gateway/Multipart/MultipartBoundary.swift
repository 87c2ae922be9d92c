/// The boundary of a multipart body, from its content type.
struct MultipartBoundary: Equatable, Sendable {
    let bytes: [UInt8]

    /// - Returns: nil unless `text` is 1 to 70 of the characters RFC 2046 allows, the last no space.
    init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard (1...70).contains(bytes.count), bytes.last != UInt8(ascii: " "),
            bytes.allSatisfy({ $0.isASCIIAlphanumeric || "'()+_,-./:=? ".utf8.contains($0) })
        else { return nil }
        self.bytes = bytes
    }
}

extension UInt8 {
    var isASCIIAlphanumeric: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default:
            false
        }
    }

    /// A character of an HTTP token (RFC 9110).
    var isTokenByte: Bool {
        isASCIIAlphanumeric || "!#$%&'*+-.^_`|~".utf8.contains(self)
    }
}
