import Domain
import HTTPTypes
import Hummingbird

/// Names of requests and of chains of causes, as clients and proxies may give them.
enum RequestIdentifier {
    /// - Returns: nil when the request has none that is valid.
    static func of(_ request: Request, _ field: HTTPField.Name) -> String? {
        request.headers[field].flatMap { isValid($0) ? $0 : nil }
    }

    /// 1 to 64 letters, digits, `-`, `_`, `.` or `:`, which is safe in logs, keys and headers.
    static func isValid(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0.isASCIIAlphanumeric || "-_.:".utf8.contains($0) }
    }
}

/// The trace a request belongs to (W3C Trace Context), version 00 or later read as 00.
struct TraceParent: Equatable, Sendable {
    /// As it goes on with events and tasks.
    let text: String
    /// 32 hexadecimal digits.
    let traceID: String

    /// - Returns: nil without a valid one; a wrong one is as good as none, says the standard.
    init?(_ header: String?) {
        guard let header else { return nil }
        let parts = header.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0] != "ff", parts[0] != "00" || parts.count == 4,
            zip(parts, [2, 32, 16, 2]).allSatisfy({ part, count in
                part.utf8.count == count && part.utf8.allSatisfy(\.isLowercaseHexadecimal)
            }), parts[1].contains(where: { $0 != "0" }), parts[2].contains(where: { $0 != "0" })
        else { return nil }
        traceID = String(parts[1])
        text = "00-\(parts[1])-\(parts[2])-\(parts[3])"
    }
}

extension UInt8 {
    fileprivate var isLowercaseHexadecimal: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
    }
}

extension HTTPField.Name {
    static let requestID = custom("X-Request-ID")
    static let forwardedFor = custom("X-Forwarded-For")
    static let correlationID = custom("X-Correlation-ID")
    static let traceParent = custom("traceparent")

    static func custom(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no header name") }
        return name
    }
}
