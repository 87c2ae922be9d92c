internal import Domain
package import Redis

extension EventCodec {
    /// - Parameter entry: `[position, [field, value, …]]` as in the replies of XRANGE and XREAD.
    /// - Throws: `EventBusError` of code `.malformedEntry`. Fields it does not know are skipped.
    package static func decode(_ entry: RESPValue, partition: Int) throws(EventBusError) -> StoredEvent {
        guard let parts = entry.array, parts.count == 2, let position = position(parts[0]),
            let fields = parts[1].array
        else {
            throw EventBusError(.malformedEntry, "A stream entry of partition \(partition) has no position or fields")
        }
        return try decode(position: position, fields: fields, partition: partition)
    }

    static func position(_ value: RESPValue) -> StreamPosition? {
        guard case .bulk(let bytes) = value else { return nil }
        return StreamPosition(bytes: bytes)
    }

    static func decode(
        position: StreamPosition, fields: [RESPValue], partition: Int
    ) throws(EventBusError) -> StoredEvent {
        var event = EventEnvelope(
            id: "", source: "", type: "", subject: "", time: Timestamp(milliseconds: Int64(position.milliseconds)),
            schemaVersion: 1, correlationID: "", data: [])
        var onlyGroup: String?
        var index = 0
        while index + 1 < fields.count {
            if case .bulk(let name) = fields[index], case .bulk(let value) = fields[index + 1] {
                set(String(decoding: name, as: UTF8.self), to: value, in: &event, &onlyGroup)
            }
            index += 2
        }
        guard !event.id.isEmpty, !event.type.rawValue.isEmpty else {
            throw EventBusError(
                .malformedEntry, "The entry \(position) of partition \(partition) has no id or no type")
        }
        return StoredEvent(position: position, partition: partition, event: event, onlyGroup: onlyGroup)
    }

    private static func set(
        _ field: String, to value: [UInt8], in event: inout EventEnvelope, _ onlyGroup: inout String?
    ) {
        if field == Field.data {
            event.data = value
            return
        }
        let text = String(decoding: value, as: UTF8.self)
        switch field {
        case Field.id: event.id = text
        case Field.source: event.source = text
        case Field.type: event.type = EventType(text)
        case Field.subject: event.subject = text
        case Field.time: event.time = Timestamp(rfc3339: text) ?? event.time
        case Field.dataschema: event.schemaVersion = Int(text) ?? 1
        case Field.correlationID: event.correlationID = CorrelationID(text)
        case Field.causationID: event.causationID = text
        case Field.examID: event.examID = ExamID(text)
        case Field.actor: event.actor = UserID(text)
        case Field.traceparent: event.traceparent = text
        case Field.onlyGroup: onlyGroup = text
        default: break
        }
    }
}
