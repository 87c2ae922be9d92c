/// The parts of a `redis://`, `rediss://` or `unix://` URL.
struct RedisURL {
    let endpoint: RedisConfiguration.Endpoint
    let usesTLS: Bool
    let user: String?
    let password: String?
    let database: Int
    let authorityFile: String?

    init(_ url: String) throws(RedisError) {
        guard let schemeEnd = url.firstRange(of: "://") else {
            throw Self.wrong("a Redis URL begins with redis://, rediss:// or unix://")
        }
        let scheme = url[..<schemeEnd.lowerBound].lowercased()
        guard ["redis", "rediss", "unix"].contains(scheme) else {
            throw Self.wrong("unknown scheme; use redis://, rediss:// or unix://")
        }
        usesTLS = scheme == "rediss"

        let (beforeQuery, query) = Self.split(url[schemeEnd.upperBound...], at: "?")
        guard !beforeQuery.contains("#"), query?.contains("#") != true else {
            throw Self.wrong("'#' is not allowed; write it as %23")
        }
        let pathStart = beforeQuery.firstIndex(of: "/") ?? beforeQuery.endIndex
        let (login, host) = Self.splitLast(beforeQuery[..<pathStart], at: "@")
        let path = beforeQuery[pathStart...]

        (user, password) = try Self.login(login)
        var options = try Self.options(query)
        let optionDatabase = try options.removeValue(forKey: "db").map(Self.database)
        authorityFile = options.removeValue(forKey: "cacert")
        guard authorityFile == nil || usesTLS else { throw Self.wrong("cacert needs rediss://") }
        if let unknown = options.keys.min() {
            throw Self.wrong("unknown option '\(unknown)'; known are db and cacert")
        }

        if scheme == "unix" {
            guard host.isEmpty else { throw Self.wrong("a unix URL has three slashes: unix:///path/to.sock") }
            endpoint = .unixSocket(path: try Self.socketPath(path))
            database = optionDatabase ?? 0
        } else {
            endpoint = try Self.address(host)
            let pathDatabase = path.count > 1 ? try Self.database(String(path.dropFirst())) : nil
            if let pathDatabase, let optionDatabase, pathDatabase != optionDatabase {
                throw Self.wrong("the database is given twice, as \(pathDatabase) and as \(optionDatabase)")
            }
            database = pathDatabase ?? optionDatabase ?? 0
        }
    }

    // Messages never quote the login: it holds the password.
    private static func wrong(_ message: String) -> RedisError {
        RedisError(.invalidConfiguration, "Redis URL: \(message)")
    }

    private static func login(_ text: Substring?) throws(RedisError) -> (String?, String?) {
        guard let text else { return (nil, nil) }
        let (rawUser, rawPassword) = split(text, at: ":")
        let user = try decode(rawUser, "user")
        guard let rawPassword else { throw wrong("a user needs a password: user:password@host") }
        let password = try decode(rawPassword, "password")
        guard !password.isEmpty else { throw wrong("the password is empty") }
        return (user.isEmpty ? nil : user, password)
    }

    private static func address(_ text: Substring) throws(RedisError) -> RedisConfiguration.Endpoint {
        guard !text.contains(",") else { throw wrong("only one host can be given") }
        let host: Substring
        var rest: Substring
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { throw wrong("'[' without ']' in the host") }
            host = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
        } else {
            let end = text.firstIndex(of: ":") ?? text.endIndex
            host = text[..<end]
            rest = text[end...]
        }
        guard !host.isEmpty else { throw wrong("the host is missing") }
        guard host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw wrong("the host holds a wrong character") }
        guard !rest.isEmpty else { return .tcp(host: String(host), port: 6379) }
        guard rest.removeFirst() == ":", let port = decimal(rest), (1...65_535).contains(port) else {
            throw wrong("the port must be a number from 1 to 65535")
        }
        return .tcp(host: String(host), port: port)
    }

    private static func socketPath(_ text: Substring) throws(RedisError) -> String {
        let path = try decode(text, "path")
        guard path.count > 1 else { throw wrong("the socket's path is missing: unix:///path/to.sock") }
        // sockaddr_un holds 108 bytes with the terminating zero.
        guard path.utf8.count <= 107 else { throw wrong("the socket's path is longer than 107 bytes") }
        return path
    }

    private static func database(_ text: String) throws(RedisError) -> Int {
        guard let number = decimal(Substring(text)) else {
            throw wrong("the database must be a number from 0, is '\(text)'")
        }
        return number
    }

    private static func options(_ query: Substring?) throws(RedisError) -> [String: String] {
        var options: [String: String] = [:]
        for pair in (query ?? "").split(separator: "&") {
            let (name, value) = split(pair, at: "=")
            guard let value else { throw wrong("option '\(name)' has no value") }
            let decoded = try decode(value, String(name))
            guard options.updateValue(decoded, forKey: String(name)) == nil else {
                throw wrong("option '\(name)' is given twice")
            }
        }
        return options
    }

    private static func decimal(_ text: Substring) -> Int? {
        let isDecimal = (1...9).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        return isDecimal ? Int(text) : nil
    }

    private static func split(_ text: Substring, at separator: Character) -> (Substring, Substring?) {
        guard let index = text.firstIndex(of: separator) else { return (text, nil) }
        return (text[..<index], text[text.index(after: index)...])
    }

    /// The part before the last separator (nil when there is none), and the part after it.
    private static func splitLast(_ text: Substring, at separator: Character) -> (Substring?, Substring) {
        guard let index = text.lastIndex(of: separator) else { return (nil, text) }
        return (text[..<index], text[text.index(after: index)...])
    }

    private static func decode(_ text: Substring, _ part: String) throws(RedisError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.allSatisfy(\.isHexadecimalDigit),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else { throw wrong("'%' must be followed by two hexadecimal digits in the \(part)") }
            rest = rest.dropFirst(2)
            bytes.append(value)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self), !decoded.utf8.contains(0) else {
            throw wrong("the \(part) is not UTF-8 text")
        }
        return decoded
    }
}

extension UInt8 {
    fileprivate var isHexadecimalDigit: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
