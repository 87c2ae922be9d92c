internal import Domain
package import Redis

extension EventCodec {
    /// - Parameter entry: `[position, [field, value, …]]` as in the replies of XRANGE and XREAD.
    /// - Throws: `EventBusError` of code `.malformedEntry`, also when the entry does not hold the data itself. Fields it
    ///   does not know are skipped.
    package static func decode(_ entry: RESPValue, partition: Int) throws(EventBusError) -> StoredEvent {
        var stored = try decodeSealed(entry, partition: partition)
        try stored.open()
        return stored
    }

    /// Leaves the data as it is in the stream.
    static func decodeSealed(_ entry: RESPValue, partition: Int) throws(EventBusError) -> StoredEvent {
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

    /// Leaves the data as it is in the stream.
    static func decode(
        position: StreamPosition, fields: [RESPValue], partition: Int
    ) throws(EventBusError) -> StoredEvent {
        let event = EventEnvelope(
            id: "", source: "", type: "", subject: "", time: Timestamp(milliseconds: Int64(position.milliseconds)),
            schemaVersion: 1, correlationID: "", data: [])
        var stored = StoredEvent(position: position, partition: partition, event: event)
        var index = 0
        while index + 1 < fields.count {
            if case .bulk(let name) = fields[index], case .bulk(let value) = fields[index + 1] {
                set(String(decoding: name, as: UTF8.self), to: value, in: &stored)
            }
            index += 2
        }
        guard !stored.event.id.isEmpty, !stored.event.type.rawValue.isEmpty else {
            throw EventBusError(
                .malformedEntry, "The entry \(position) of partition \(partition) has no id or no type")
        }
        return stored
    }

    private static func set(_ field: String, to value: [UInt8], in stored: inout StoredEvent) {
        if field == Field.data {
            stored.event.data = value
            return
        }
        let text = String(decoding: value, as: UTF8.self)
        switch field {
        case Field.id: stored.event.id = text
        case Field.source: stored.event.source = text
        case Field.type: stored.event.type = EventType(text)
        case Field.subject: stored.event.subject = text
        case Field.time: stored.event.time = Timestamp(rfc3339: text) ?? stored.event.time
        case Field.dataschema: stored.event.schemaVersion = Int(text) ?? 1
        case Field.correlationID: stored.event.correlationID = CorrelationID(text)
        case Field.causationID: stored.event.causationID = text
        case Field.examID: stored.event.examID = ExamID(text)
        case Field.actor: stored.event.actor = UserID(text)
        case Field.traceparent: stored.event.traceparent = text
        case Field.onlyGroup: stored.onlyGroup = text
        case Field.dataEncoding: stored.encoding = text
        case Field.dataAside: stored.isAside = true
        default: break
        }
    }
}

extension StoredEvent {
    /// Whether the data is not yet what the publisher gave.
    var isSealed: Bool { isAside || encoding != nil }

    /// - Throws: `EventBusError` of code `.malformedEntry`.
    mutating func open() throws(EventBusError) {
        guard !isAside else {
            throw EventBusError(.malformedEntry, "The data of \(position) of partition \(partition) is missing")
        }
        guard let encoding else { return }
        guard encoding == EventCodec.zstd else {
            throw EventBusError(.malformedEntry, "The data of \(position) is encoded as \(encoding.prefix(32))")
        }
        event.data = try Zstd.decompress(event.data, limit: EventCodec.maxData)
        self.encoding = nil
    }
}

extension EventBus {
    /// The event with its data as it was published.
    ///
    /// - Throws: `EventBusError` of code `.malformedEntry` when the data is damaged or gone; `RedisError`.
    func opened(_ stored: StoredEvent) async throws -> StoredEvent {
        guard stored.isSealed else { return stored }
        var stored = stored
        if stored.isAside {
            let position = stored.position.description
            let reply = try await client.send(["XRANGE", keys.aside(stored.partition), position, position])
            if let data = reply.array?.first?.array?.last?.array?.last?.bytes {
                stored.event.data = data
                stored.isAside = false
            }
        }
        try stored.open()
        return stored
    }
}

extension RedisKeys {
    /// The data of large events, each under its event's position.
    func aside(_ partition: Int) -> String { record(partition, "event-data") }
}
