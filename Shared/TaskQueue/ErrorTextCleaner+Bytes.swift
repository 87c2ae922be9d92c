// What bytes mean to the cleaner.
extension ErrorTextCleaner {
    static let authorization = Array("authorization".utf8)

    /// A word that has one of these in it, in small letters, names a secret.
    static let keys = [
        authorization, Array("password".utf8), Array("passwd".utf8), Array("passphrase".utf8), Array("secret".utf8),
        Array("token".utf8), Array("api_key".utf8), Array("api-key".utf8), Array("apikey".utf8), Array("bearer".utf8),
    ]

    static func contains(_ key: [UInt8], in word: [UInt8]) -> Bool {
        guard word.count >= key.count else { return false }
        return (0...word.count - key.count).contains { start in
            word[start] == key[0] && word[start..<start + key.count].elementsEqual(key)
        }
    }

    /// After these, in small letters, it is the next word that is secret.
    static let schemes = ["bearer", "basic", "digest", "negotiate", "token", "apikey"].map { Array($0.utf8) }

    static func isWord(_ byte: UInt8) -> Bool {
        isKey(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "+")
    }

    static func isKey(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: "-")
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") }

    static func isQuote(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "`")
    }

    private static let closing = Set(",;)]}>\\".utf8)

    /// Punctuation that may follow a value.
    static func isStop(_ byte: UInt8) -> Bool { isQuote(byte) || closing.contains(byte) }

    private static let opening = Set("<|([{".utf8)

    static func endsURL(_ byte: UInt8) -> Bool {
        isSpace(byte) || isStop(byte) || opening.contains(byte)
    }

    private static func endsToken(_ byte: UInt8) -> Bool {
        isSpace(byte) || isQuote(byte) || byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">")
    }

    private static let afterAuthority = Set("/?#".utf8)

    static func endsAuthority(_ byte: UInt8) -> Bool { endsToken(byte) || afterAuthority.contains(byte) }

    private static let afterUserInfo = Set("=&:,".utf8)

    static func endsUserInfo(_ byte: UInt8) -> Bool { endsToken(byte) || afterUserInfo.contains(byte) }

    private static let afterPath = Set(",;:)]}({[<>|".utf8)

    static func isPath(_ byte: UInt8) -> Bool { !isSpace(byte) && !isQuote(byte) && !afterPath.contains(byte) }

    private static let beforePath = Set(" ,;:)]}({[<>|=@!&".utf8)

    static func precedesPath(_ byte: UInt8) -> Bool { isQuote(byte) || beforePath.contains(byte) }
}
