package import Domain

extension EventCodec {
    /// The event in the JSON format of CloudEvents 1.0.
    package static func cloudEventJSON(_ event: EventEnvelope) throws -> [UInt8] {
        try json(event, partition: nil, sequence: nil)
    }

    /// With the extensions `partition` and `sequence` (the position), so that a reader can tell order and gaps.
    package static func cloudEventJSON(_ stored: StoredEvent) throws -> [UInt8] {
        try json(stored.event, partition: stored.partition, sequence: stored.position.description)
    }

    private static func json(_ event: EventEnvelope, partition: Int?, sequence: String?) throws -> [UInt8] {
        func nonEmpty(_ text: String?) -> String? { text?.isEmpty == false ? text : nil }
        let attributes = Attributes(
            actor: nonEmpty(event.actor?.rawValue), causationid: nonEmpty(event.causationID),
            correlationid: nonEmpty(event.correlationID.rawValue),
            datacontenttype: event.data.isEmpty ? nil : "application/json",
            dataschema: "urn:zhiyue:event:\(event.type):\(event.schemaVersion)",
            examid: nonEmpty(event.examID?.rawValue), id: event.id, partition: partition, sequence: sequence,
            source: event.source, subject: nonEmpty(event.subject), time: event.time.rfc3339,
            traceparent: nonEmpty(event.traceparent), type: event.type.rawValue)
        var bytes = try JSON.encode(attributes)
        guard !event.data.isEmpty else { return bytes }
        // The data is JSON already; decoding it only to encode it again would cost more than the rest.
        bytes.removeLast()
        bytes.append(contentsOf: #","data":"#.utf8)
        bytes.append(contentsOf: event.data)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private struct Attributes: Encodable {
        var actor: String?
        var causationid: String?
        var correlationid: String?
        var datacontenttype: String?
        var dataschema: String
        var examid: String?
        var id: String
        var partition: Int?
        var sequence: String?
        var source: String
        var specversion = "1.0"
        var subject: String?
        var time: String
        var traceparent: String?
        var type: String
    }
}
