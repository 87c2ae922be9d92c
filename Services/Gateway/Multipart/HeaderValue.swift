import Domain

/// A header value of the form `token; name=value; name="quoted value"`, such as a content type or disposition.
struct HeaderValue: Equatable, Sendable {
    /// What stands before the first semicolon, in lower case.
    let value: String
    /// By lower-case name.
    let parameters: [String: String]

    /// - Returns: nil when `text` does not have that form or a parameter stands twice.
    init?(_ text: some StringProtocol) {
        var bytes = Array(text.utf8)[...]
        let value = bytes.prefix { $0 != UInt8(ascii: ";") }
        bytes = bytes.dropFirst(value.count)
        self.value = String(decoding: value, as: UTF8.self).lowercased().trimmingBlanks()
        guard !self.value.isEmpty else { return nil }
        var parameters: [String: String] = [:]
        while bytes.popFirst() == UInt8(ascii: ";") {
            bytes = bytes.drop { $0.isBlank }
            // A semicolon at the end is common and harmless.
            if bytes.isEmpty { break }
            let name = bytes.prefix { $0.isTokenByte }
            bytes = bytes.dropFirst(name.count)
            guard !name.isEmpty, bytes.popFirst() == UInt8(ascii: "="), let content = Self.content(&bytes) else {
                return nil
            }
            bytes = bytes.drop { $0.isBlank }
            let key = String(decoding: name, as: UTF8.self).lowercased()
            guard parameters.updateValue(content, forKey: key) == nil else { return nil }
        }
        guard bytes.isEmpty else { return nil }
        self.parameters = parameters
    }

    private static func content(_ bytes: inout ArraySlice<UInt8>) -> String? {
        guard bytes.first == UInt8(ascii: "\"") else {
            let token = bytes.prefix { $0 != UInt8(ascii: ";") && !$0.isBlank && $0 != UInt8(ascii: "\"") }
            bytes = bytes.dropFirst(token.count)
            return token.isEmpty ? nil : String(validating: token, as: UTF8.self)
        }
        bytes = bytes.dropFirst()
        var content: [UInt8] = []
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                return String(validating: content, as: UTF8.self)
            case UInt8(ascii: "\\"):
                // Only quotes and backslashes are escaped; others are part of a Windows path.
                if let next = bytes.first, next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\") {
                    content.append(next)
                    bytes = bytes.dropFirst()
                } else {
                    content.append(byte)
                }
            default:
                content.append(byte)
            }
        }
        return nil
    }
}

extension UInt8 {
    /// A space or a tab.
    var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
}

extension String {
    func trimmingBlanks() -> String {
        var text = self[...].drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }

    /// - Returns: nil when `%` is followed by anything but two hexadecimal digits, or the result is no UTF-8.
    func percentDecoded() -> String? {
        guard utf8.contains(UInt8(ascii: "%")) else { return self }
        var bytes: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, rest.prefix(2).allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
