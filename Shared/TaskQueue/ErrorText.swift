/// What an error's text may show in a task's record: neither secrets nor where things are on the machine.
enum ErrorText {
    /// The longest text, in Unicode scalars (so never more characters either).
    static let maximumLength = 1000

    /// The text without user info in URLs, without values named as secrets, without JSON Web Tokens, and with absolute
    /// paths cut to their last component; what is left out shows as `…`. It has no control characters or line breaks.
    ///
    /// It errs on the side of leaving out. Cleaning a cleaned text changes nothing. Takes time in proportion to the
    /// length of the text.
    static func cleaned(_ text: String) -> String {
        var current = once(text[...])
        // One pass nearly always suffices; but what a pass leaves, and where it is cut, can look like something else.
        for _ in 0..<8 {
            let next = once(current[...])
            if next == current { return current }
            current = next
        }
        return ellipsis
    }

    private static let ellipsis = "…"

    private static func once(_ text: Substring) -> String {
        var cleaner = ErrorTextCleaner(visible(text))
        let scalars = String(decoding: cleaner.clean(), as: UTF8.self).unicodeScalars
        guard scalars.count > maximumLength else { return String(scalars) }
        return String(scalars.prefix(maximumLength - 1)) + ellipsis
    }

    /// The text as UTF-8, each control character a space. So is what breaks lines or turns the direction of writing.
    private static func visible(_ text: Substring) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069: bytes.append(UInt8(ascii: " "))
            case ..<0x80: bytes.append(UInt8(scalar.value))
            default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
        return bytes
    }
}
