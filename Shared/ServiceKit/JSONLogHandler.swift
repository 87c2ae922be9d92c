internal import Domain
package import Logging
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#endif

/// Writes one JSON object a line to standard error: `time`, `level`, `service`, `replica`, `message` and the metadata.
package struct JSONLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata
    package var metadataProvider: Logger.MetadataProvider?
    private let prefix: String

    package init(service: String, replica: String, logLevel: Logger.Level) {
        self.logLevel = logLevel
        metadata = [:]
        prefix = ",\"service\":\(Self.quoted(service)),\"replica\":\(Self.quoted(replica))"
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        Self.write(line(for: event))
    }

    func line(for event: LogEvent) -> String {
        var line = "{\"time\":\"\(Timestamp.now.rfc3339)\",\"level\":\"\(event.level)\"\(prefix)"
        line += ",\"message\":\(Self.quoted(event.message.description))"
        var all = metadataProvider?.get() ?? [:]
        all.merge(metadata) { _, new in new }
        all.merge(event.metadata ?? [:]) { _, new in new }
        if let error = event.error { all["error"] = "\(error)" }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line += ",\(Self.quoted(key)):\(Self.json(value))"
        }
        return line + "}\n"
    }

    private static let lock = Mutex(())

    /// One write a line, so lines of several threads do not mix.
    private static func write(_ line: String) {
        var bytes = Array(line.utf8)
        lock.withLock { _ in
            bytes.withUnsafeMutableBytes { buffer in
                var offset = 0
                while offset < buffer.count {
                    let count = Glibc.write(
                        STDERR_FILENO, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
                    if count <= 0 {
                        if count < 0 && errno == EINTR { continue }
                        return
                    }
                    offset += count
                }
            }
        }
    }

    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): quoted(text)
        case .stringConvertible(let convertible): quoted(convertible.description)
        case .array(let values): "[" + values.map(json).joined(separator: ",") + "]"
        case .dictionary(let fields):
            "{" + fields.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(json($0.value))" }.joined(separator: ",")
                + "}"
        }
    }

    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
