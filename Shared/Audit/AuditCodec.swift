internal import Domain
internal import EventBus
package import Redis

/// Audit entries as stream entries, for scripts that write one together with the change it tells of.
package enum AuditCodec {
    /// Greatest number of entries of one stream; the oldest beyond it go. A bound for the memory, not the retention.
    package static let maxEntries = 1_000_000
    /// Details are cut to so many bytes each.
    static let maxDetailBytes = 1000

    /// Fields and values, flat.
    package static func arguments(_ entry: AuditEntry) throws -> [any RedisArgument] {
        var fields: [any RedisArgument] = [
            "action", entry.action.rawValue, "source", entry.source, "subject", entry.subject,
        ]
        func add(_ name: String, _ value: String?) {
            if let value, !value.isEmpty { fields += [name, value] }
        }
        add("actor", entry.actor)
        add("address", entry.address)
        add("exam", entry.examID?.rawValue)
        add("correlation", entry.correlationID?.rawValue)
        if !entry.details.isEmpty {
            let details = entry.details.mapValues { $0.utf8.count > maxDetailBytes ? cut($0) : $0 }
            fields += ["details", try JSON.encode(details)]
        }
        return fields
    }

    private static func cut(_ text: String) -> String {
        var bytes = 0
        let prefix = text.prefix { character in
            bytes += character.utf8.count
            return bytes <= maxDetailBytes
        }
        return prefix + "…"
    }

    /// - Parameter entry: `[position, [field, value, …]]`.
    /// - Returns: nil when it is no audit entry.
    static func decode(_ entry: RESPValue, stream: Int) -> AuditRecord? {
        guard let parts = entry.array, parts.count == 2,
            let position = parts[0].string.flatMap({ StreamPosition($0) }), let fields = parts[1].fields
        else { return nil }
        let values = Dictionary(fields.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        guard let action = values["action"]?.string else { return nil }
        let details = values["details"]?.bytes.flatMap { try? JSON.decode([String: String].self, from: $0) }
        return AuditRecord(
            id: AuditCursor(position: position, stream: stream),
            entry: AuditEntry(
                AuditAction(action), actor: values["actor"]?.string, address: values["address"]?.string,
                source: values["source"]?.string ?? "", subject: values["subject"]?.string ?? "",
                examID: values["exam"]?.string.map { ExamID($0) },
                correlationID: values["correlation"]?.string.map { CorrelationID($0) }, details: details ?? [:]))
    }
}

extension RedisKeys {
    /// Stream of what was done about the exams of a partition, and by its users.
    package func audit(_ partition: Int) -> String {
        record(partition, "audit")
    }

    /// Stream of what was done about users, in the slot of their records.
    package var auditUsers: String { global("{users}:audit") }

    /// Stream of refused sign-ins: anybody can make those, so they must not drive out anything else.
    package var auditRefusals: String { global("{audit}:refusals") }
}
