/// One pass of ``ErrorText`` over UTF-8 bytes. It only ever cuts beside ASCII, so no character is torn.
struct ErrorTextCleaner {
    private let text: [UInt8]
    private var position = 0
    private var output: [UInt8] = []
    /// Within the path or query of a URL, where a slash does not begin a path of this machine.
    private var isInURL = false

    init(_ text: [UInt8]) { self.text = text }

    /// Once so many bytes are done, the rest would be cut off anyway.
    private static let enough = (ErrorText.maximumLength + 1) * 4

    mutating func clean() -> [UInt8] {
        while position < text.count, output.count < Self.enough {
            let byte = text[position]
            if Self.isWord(byte) {
                word()
            } else if byte == UInt8(ascii: "/") {
                if !isInURL, let length = pathLength() {
                    path(length)
                } else {
                    copy(end(from: position) { $0 == UInt8(ascii: "/") } - position)
                }
            } else {
                if Self.endsURL(byte) {
                    isInURL = false
                }
                copy(1)
            }
        }
        return output
    }

    private mutating func copy(_ count: Int) {
        output += text[position..<position + count]
        position += count
    }

    private mutating func omit(to end: Int) {
        output += "…".utf8
        position = end
    }

    /// Where the bytes that satisfy the condition end.
    private func end(from start: Int, while condition: (UInt8) -> Bool) -> Int {
        var index = start
        while index < text.count, condition(text[index]) {
            index += 1
        }
        return index
    }

    private func has(_ prefix: StaticString, at index: Int) -> Bool {
        prefix.withUTF8Buffer { index + $0.count <= text.count && text[index..<index + $0.count].elementsEqual($0) }
    }

    // MARK: Words: keys of secrets, schemes of URLs, tokens

    private mutating func word() {
        let wordEnd = end(from: position, while: Self.isWord)
        let word = text[position..<wordEnd]
        let lowercased = word.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        let token = tokenStart(word)
        if token == nil, has("://", at: wordEnd) {
            copy(wordEnd + 3 - position)
            authority()
            return
        }
        if let token {
            copy(token - position)
            omit(to: wordEnd)
        } else {
            copy(wordEnd - position)
        }
        if lowercased.elementsEqual("bearer".utf8), wordEnd < text.count, text[wordEnd] == UInt8(ascii: " ") {
            secret(at: end(from: wordEnd, while: Self.isSpace), isAuthorization: false)
        } else if let key = Self.keys.first(where: { Self.contains($0, in: lowercased) }),
            let value = separatorEnd(from: wordEnd)
        {
            secret(at: value, isAuthorization: key == Self.authorization)
        }
    }

    /// Where a JSON Web Token begins in a word: `eyJ` is `{"` in Base64, and two dots follow.
    private func tokenStart(_ word: ArraySlice<UInt8>) -> Int? {
        guard let start = word.indices.first(where: { has("eyJ", at: $0) }) else { return nil }
        return word[start...].count { $0 == UInt8(ascii: ".") } >= 2 ? start : nil
    }

    /// Where the value after a key begins: the key's closing quote, spaces, `=` or `:`, spaces.
    private func separatorEnd(from start: Int) -> Int? {
        var index = end(from: start) { $0 == UInt8(ascii: "\\") }
        if index < text.count, Self.isQuote(text[index]) {
            index += 1
        }
        index = end(from: index, while: Self.isSpace)
        let separatorEnd = end(from: index) { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ":") }
        guard separatorEnd > index else { return nil }
        index = end(from: separatorEnd) { $0 == UInt8(ascii: ">") }
        return end(from: index, while: Self.isSpace)
    }

    // MARK: Values of secrets

    /// Leaves out the value that begins at `start`, and what is between it and the key stays.
    private mutating func secret(at start: Int, isAuthorization: Bool) {
        copy(start - position)
        isInURL = false
        let quote = end(from: start) { $0 == UInt8(ascii: "\\") }
        if quote < text.count, Self.isQuote(text[quote]) {
            quoted(quote, escapes: quote - start)
            return
        }
        let valueEnd = plainValueEnd(from: start)
        guard valueEnd > start else { return }
        let value = text[start..<valueEnd]
        let isOmitted = value.elementsEqual("…".utf8)
        omit(to: valueEnd)
        let lowercased = value.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        if !isOmitted, isAuthorization || Self.schemes.contains(lowercased) {
            // `Authorization: Basic abc`: the first word is not what is secret.
            let next = end(from: valueEnd, while: Self.isSpace)
            if next > valueEnd, next < text.count, plainValueEnd(from: next) > next {
                position = plainValueEnd(from: next)
            }
        }
    }

    /// - Parameter escapes: how many backslashes are before the opening quote, as in JSON within JSON.
    private mutating func quoted(_ quote: Int, escapes: Int) {
        copy(quote + 1 - position)
        var backslashes = 0
        var index = quote + 1
        while index < text.count {
            if text[index] == UInt8(ascii: "\\") {
                backslashes += 1
            } else if text[index] == text[quote], backslashes <= escapes {
                break
            } else {
                backslashes = 0
            }
            index += 1
        }
        guard index < text.count else {
            omit(to: text.count)
            return
        }
        let contentEnd = index - backslashes
        let next = index + 1
        if next < text.count, !Self.isSpace(text[next]), !Self.isStop(text[next]), text[next] != UInt8(ascii: "&") {
            // An apostrophe within: the secret goes on.
            let valueEnd = plainValueEnd(from: next)
            omit(to: valueEnd)
            output.append(text[quote])
        } else if contentEnd > position {
            omit(to: contentEnd)
            copy(next - contentEnd)
        } else {
            copy(next - position)
        }
    }

    /// Where a value without quotes ends: at a space, at `&key=`, or at punctuation that more of it or the end follows.
    private func plainValueEnd(from start: Int) -> Int {
        var index = start
        while index < text.count, !Self.isSpace(text[index]) {
            if text[index] == UInt8(ascii: "&") {
                let keyEnd = end(from: index + 1, while: Self.isKey)
                if keyEnd > index + 1, keyEnd < text.count, text[keyEnd] == UInt8(ascii: "=") { break }
            } else if Self.isStop(text[index]) {
                let next = index + 1
                if next == text.count || Self.isSpace(text[next]) || Self.isStop(text[next]) { break }
            }
            index += 1
        }
        return index
    }

    // MARK: URLs and paths

    /// Leaves out the user info after `://`, and copies the host.
    private mutating func authority() {
        isInURL = true
        let authorityEnd = end(from: position) { !Self.endsAuthority($0) }
        var hostStart = position
        if let at = text[position..<authorityEnd].lastIndex(of: UInt8(ascii: "@")) {
            hostStart = at + 1
        }
        // A password may have a slash in it; then there is no port where one should be.
        if let colon = text[hostStart..<authorityEnd].lastIndex(of: UInt8(ascii: ":")),
            colon + 1 == authorityEnd || !text[(colon + 1)..<authorityEnd].allSatisfy({ (0x30...0x39).contains($0) })
        {
            let rest = authorityEnd..<end(from: authorityEnd) { !Self.endsUserInfo($0) }
            if let at = text[rest].lastIndex(of: UInt8(ascii: "@")) {
                hostStart = at + 1
            }
        }
        position = hostStart
        let hostEnd = end(from: hostStart) { !Self.endsAuthority($0) }
        let plainEnd = end(from: hostStart) { !Self.endsAuthority($0) && $0 != UInt8(ascii: "=") }
        if plainEnd < hostEnd {
            // Settings in place of a host.
            omit(to: hostEnd)
        } else {
            copy(hostEnd - hostStart)
            if hostEnd == hostStart, position < text.count, text[position] == UInt8(ascii: "/"),
                let length = pathLength(isForced: true)
            {
                path(length)
            }
        }
    }

    /// The length of the path that begins here, if one does.
    private func pathLength(isForced: Bool = false) -> Int? {
        let before = isForced ? UInt8(ascii: " ") : output.last ?? UInt8(ascii: " ")
        // What comes before is looked at first, for the rest may be long.
        guard Self.precedesPath(before) || (before >= 0x80 && !output.suffix(3).elementsEqual("…".utf8)) else {
            return nil
        }
        let start = end(from: position) { $0 == UInt8(ascii: "/") }
        // Texts in Chinese have no spaces, but alternatives with slashes between them.
        guard start < text.count, before < 0x80 || (0x61...0x7A).contains(text[start] | 0x20) else { return nil }
        let pathEnd = end(from: start, while: Self.isPath)
        let path = text[start..<pathEnd]
        guard !path.isEmpty, !path.elementsEqual("…".utf8) else { return nil }
        let isPath = before < 0x80 || path.contains(UInt8(ascii: "/"))
        return isPath ? pathEnd - position : nil
    }

    private mutating func path(_ length: Int) {
        let path = text[position..<position + length]
        let nameEnd = path.lastIndex { $0 != UInt8(ascii: "/") } ?? path.startIndex
        let slash = path[..<nameEnd].lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
        // The name may itself be a key or a token.
        omit(to: slash)
        copy(1)
    }
}
