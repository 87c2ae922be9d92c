/// A reply of a Redis server (RESP2).
package enum RESPValue: Sendable, Equatable {
    case null
    /// A status such as `OK`.
    case simpleString(String)
    /// Binary-safe bytes.
    case bulk([UInt8])
    case integer(Int64)
    case array([RESPValue])
    /// An error reply. `RedisClient.send` throws it; it stays a value inside arrays and pipelines.
    case error(RedisServerError)
}

extension RESPValue {
    package var isNull: Bool { self == .null }

    /// The text of a status or of a bulk string that is UTF-8, or the digits of an integer; otherwise nil.
    package var string: String? {
        switch self {
        case .simpleString(let text): text
        case .bulk(let bytes): String(validating: bytes, as: UTF8.self)
        case .integer(let number): String(number)
        case .null, .array, .error: nil
        }
    }

    /// The number of an integer reply, or of a bulk string or status that is a decimal number; otherwise nil.
    package var int: Int? {
        switch self {
        case .integer(let number): Int(exactly: number)
        case .simpleString, .bulk: string.flatMap { Int($0) }
        case .null, .array, .error: nil
        }
    }

    /// The number of a bulk string such as a sorted set's score; otherwise nil.
    package var double: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .simpleString, .bulk: string.flatMap { Double($0) }
        case .null, .array, .error: nil
        }
    }

    package var array: [RESPValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// The bytes of a bulk string or of a status; otherwise nil.
    package var bytes: [UInt8]? {
        switch self {
        case .bulk(let bytes): bytes
        case .simpleString(let text): Array(text.utf8)
        case .null, .integer, .array, .error: nil
        }
    }

    package var error: RedisServerError? {
        guard case .error(let error) = self else { return nil }
        return error
    }

    /// Field names and values of a flat array (`HGETALL`, the fields of a stream entry), in order of the server;
    /// nil when this is no array of an even count whose names are text.
    package var fields: [(name: String, value: RESPValue)]? {
        guard let elements = array, elements.count.isMultiple(of: 2) else { return nil }
        var fields: [(name: String, value: RESPValue)] = []
        fields.reserveCapacity(elements.count / 2)
        for index in stride(from: 0, to: elements.count, by: 2) {
            guard let name = elements[index].string else { return nil }
            fields.append((name, elements[index + 1]))
        }
        return fields
    }
}

/// An error the server replied with, such as `NOPERM this user has no permissions …`.
package struct RedisServerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The whole text of the server, its code first.
    package let message: String

    package init(message: String) {
        self.message = message
    }

    /// The upper-case word the text begins with (`NOPERM`, `OOM`, `LOADING`, `READONLY`, `MOVED`, `NOSCRIPT`, …),
    /// or `ERR` when it begins with none.
    package var prefix: String {
        let word = message.utf8.prefix { $0 != UInt8(ascii: " ") }
        let isCode =
            !word.isEmpty
            && word.allSatisfy { byte in
                (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
            }
        return isCode ? String(Substring(word)) : "ERR"
    }

    package var description: String { message }
}
