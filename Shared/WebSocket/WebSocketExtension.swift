/// An element of `Sec-WebSocket-Extensions` (RFC 6455, section 9.1).
struct WebSocketExtension: Equatable, Sendable {
    struct Parameter: Equatable, Sendable {
        let name: String
        /// nil when only the name is there.
        let value: String?
    }

    let name: String
    let parameters: [Parameter]

    /// - Parameter values: of all header fields of that name.
    /// - Returns: nil when one is not written by the grammar.
    static func list(_ values: [String]) -> [WebSocketExtension]? {
        var list: [WebSocketExtension] = []
        for value in values {
            var scanner = Scanner(value)
            repeat {
                scanner.skipBlanks()
                // Lists may have empty elements.
                guard !scanner.isAtEnd, !scanner.isAt(",") else { continue }
                guard let element = scanner.element() else { return nil }
                list.append(element)
            } while scanner.take(",")
            guard scanner.isAtEnd else { return nil }
        }
        return list
    }

    private struct Scanner {
        private var rest: Substring.UTF8View

        init(_ text: String) {
            rest = text[...].utf8
        }

        var isAtEnd: Bool { rest.isEmpty }

        func isAt(_ character: Unicode.Scalar) -> Bool {
            rest.first == UInt8(ascii: character)
        }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard isAt(character) else { return false }
            rest.removeFirst()
            return true
        }

        mutating func skipBlanks() {
            rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        }

        mutating func element() -> WebSocketExtension? {
            guard let name = token() else { return nil }
            var parameters: [Parameter] = []
            skipBlanks()
            while take(";") {
                skipBlanks()
                guard let parameter = parameter() else { return nil }
                parameters.append(parameter)
                skipBlanks()
            }
            return WebSocketExtension(name: name, parameters: parameters)
        }

        private mutating func parameter() -> Parameter? {
            guard let name = token() else { return nil }
            skipBlanks()
            guard take("=") else { return Parameter(name: name, value: nil) }
            skipBlanks()
            guard let value = isAt("\"") ? quoted() : token() else { return nil }
            return Parameter(name: name, value: value)
        }

        private mutating func token() -> String? {
            let token = rest.prefix(while: Self.isToken)
            rest = rest.dropFirst(token.count)
            return token.isEmpty ? nil : String(Substring(token))
        }

        /// A quoted string, which without its quotes must be a token too.
        private mutating func quoted() -> String? {
            guard take("\"") else { return nil }
            var value: [UInt8] = []
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "\"") { return value.isEmpty ? nil : String(decoding: value, as: UTF8.self) }
                guard let byte = byte == UInt8(ascii: "\\") ? rest.popFirst() : byte, Self.isToken(byte) else {
                    return nil
                }
                value.append(byte)
            }
            return nil
        }

        private static func isToken(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        }
    }
}
