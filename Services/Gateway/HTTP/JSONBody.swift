import Domain
import FoundationEssentials
import Hummingbird
import NIOCore
import TaskQueue

/// Reads JSON from requests, and tells clients where it is wrong.
enum JSONBody {
    static let defaultLimit = 1 << 20

    static func decode<Value: Decodable>(
        _ type: Value.Type, from request: Request, limit: Int = defaultLimit
    ) async throws -> Value {
        guard let header = request.headers[.contentType].flatMap({ HeaderValue($0) }),
            header.value == "application/json" || header.value.hasSuffix("+json"),
            ["utf-8", "utf8"].contains(header.parameters["charset"]?.lowercased() ?? "utf-8")
        else {
            throw Problem(.unsupportedMediaType, "unsupported-media-type", "The body must be application/json.")
        }
        let body = try await bytes(of: request, limit: limit)
        guard body.readableBytes > 0 else { throw Problem.badRequest("malformed-json", "The body is empty.") }
        do {
            return try JSON.decode(type, from: body.readableBytesView)
        } catch let error as DecodingError {
            throw misplacedNumber(in: body, type) ?? problem(error)
        }
    }

    /// Of a number that is none of the kind wanted (1.5, 1e300) the decoder does not say where it stands, and takes the
    /// whole for malformed. So the numbers that may be meant are mended one by one: which of them helps is the wrong one.
    private static func misplacedNumber<Value: Decodable>(in body: ByteBuffer, _ type: Value.Type) -> Problem? {
        guard body.readableBytes <= 64 << 10, let json = try? JSON.decode(JSONValue.self, from: body.readableBytesView),
            fault(in: json, type) == ""
        else { return nil }
        for path in json.fractions.prefix(32) {
            guard fault(in: json.replacing(path[...], with: .integer(1)), type) != "" else { continue }
            let pointer = path.map { "/" + token($0) }.joined()
            return Problem(
                .badRequest, "invalid-json", "\(pointer) must be a whole number that is not too large.",
                errors: [FieldProblem(pointer: pointer, detail: "must be a whole number that is not too large")])
        }
        return nil
    }

    /// - Returns: where decoding fails, empty when that is not known, nil when it does not.
    private static func fault<Value: Decodable>(in json: JSONValue, _ type: Value.Type) -> String? {
        do {
            _ = try JSON.decode(type, from: JSON.encode(json))
            return nil
        } catch DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty {
            return ""
        } catch {
            return "\(error)"
        }
    }

    static func bytes(of request: Request, limit: Int) async throws -> ByteBuffer {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw Problem.bodyTooLarge(limit: limit)
        }
        do {
            return try await request.body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw Problem.bodyTooLarge(limit: limit)
        }
    }

    /// - Parameter root: where in the body the decoded value stands.
    static func problem(_ error: DecodingError, under root: String = "") -> Problem {
        let (path, detail): ([any CodingKey], String) =
            switch error {
            case .typeMismatch(let type, let context):
                (context.codingPath, "must be \(name(of: type))")
            case .valueNotFound(let type, let context):
                (context.codingPath, "must be \(name(of: type)), not null")
            case .keyNotFound(let key, let context):
                (context.codingPath + [key], "is required")
            case .dataCorrupted(let context):
                (context.codingPath, corruption(context))
            @unknown default:
                ([], "cannot be read")
            }
        guard !path.isEmpty || isTypeError(error) else {
            return Problem(
                .badRequest, "malformed-json", "The body is not valid JSON: \(detail).",
                errors: [FieldProblem(pointer: "", detail: detail)])
        }
        let pointer = root + path.map { "/" + token($0) }.joined()
        return Problem(
            .badRequest, "invalid-json", "\(pointer.isEmpty ? "The body" : pointer) \(detail).",
            errors: [FieldProblem(pointer: pointer, detail: detail)])
    }

    private static func isTypeError(_ error: DecodingError) -> Bool {
        if case .dataCorrupted = error { false } else { true }
    }

    /// RFC 6901.
    private static func token(_ key: any CodingKey) -> String {
        if let index = key.intValue { return String(index) }
        return token(key.stringValue)
    }

    private static func token(_ text: String) -> String {
        text.map { $0 == "~" ? "~0" : $0 == "/" ? "~1" : String($0) }.joined()
    }

    /// For broken JSON, where it breaks; for an unknown word, what was expected.
    private static func corruption(_ context: DecodingError.Context) -> String {
        if context.codingPath.isEmpty, let underlying = context.underlyingError { return "\(underlying)" }
        let text = context.debugDescription
        return text.hasPrefix("Cannot initialize") ? "has a value that is not allowed" : text
    }

    private static func name(of type: Any.Type) -> String {
        if type == String.self {
            "a string"
        } else if type == Bool.self {
            "true or false"
        } else if type == Int.self || type == Int64.self {
            "a whole number"
        } else if type == Double.self {
            "a number"
        } else if "\(type)".hasPrefix("Array") {
            "an array"
        } else {
            "an object"
        }
    }
}

extension JSONValue {
    /// The places of all numbers that are not whole or too large for it, as the names and indexes that lead there.
    fileprivate var fractions: [[String]] {
        switch self {
        case .number: [[]]
        case .array(let items):
            items.enumerated().flatMap { index, item in item.fractions.map { [String(index)] + $0 } }
        case .object(let members):
            members.sorted { $0.key < $1.key }.flatMap { name, member in member.fractions.map { [name] + $0 } }
        case .null, .bool, .integer, .string: []
        }
    }

    fileprivate func replacing(_ path: ArraySlice<String>, with value: JSONValue) -> JSONValue {
        guard let name = path.first else { return value }
        switch self {
        case .array(var items):
            guard let index = Int(name), items.indices.contains(index) else { return self }
            items[index] = items[index].replacing(path.dropFirst(), with: value)
            return .array(items)
        case .object(var members):
            members[name] = members[name]?.replacing(path.dropFirst(), with: value)
            return .object(members)
        case .null, .bool, .integer, .number, .string: return self
        }
    }
}
