internal import Domain
internal import Redis

extension EventCodec {
    /// The XADD that appends `envelope` as `fields(_:)` has it, in one piece of memory and without a list of arguments:
    /// what nearly every publish sends.
    static func append(_ envelope: EventEnvelope, stream: String, maxLength: Int) -> RedisCommand {
        let time = envelope.time.rfc3339
        var capacity = 27 * RESPWriter.bulkOverhead + 200
        capacity += stream.utf8.count + envelope.id.utf8.count + envelope.source.utf8.count
        capacity += envelope.type.rawValue.utf8.count + envelope.subject.utf8.count + time.utf8.count
        capacity += envelope.correlationID.rawValue.utf8.count + (envelope.causationID?.utf8.count ?? 0)
        capacity += (envelope.examID?.rawValue.utf8.count ?? 0) + (envelope.actor?.rawValue.utf8.count ?? 0)
        capacity += (envelope.traceparent?.utf8.count ?? 0) + envelope.data.count
        return RedisCommand(capacity: capacity) { writer in
            func add(_ name: String, _ value: String?) {
                guard let value, !value.isEmpty else { return }
                writer.write(bulk: name)
                writer.write(bulk: value)
            }
            writer.write(bulk: "XADD")
            writer.write(bulk: stream)
            writer.write(bulk: "MAXLEN")
            writer.write(bulk: "~")
            writer.write(bulk: maxLength)
            writer.write(bulk: "*")
            writer.write(bulk: Field.id)
            writer.write(bulk: envelope.id)
            writer.write(bulk: Field.source)
            writer.write(bulk: envelope.source)
            writer.write(bulk: Field.type)
            writer.write(bulk: envelope.type.rawValue)
            add(Field.subject, envelope.subject)
            writer.write(bulk: Field.time)
            writer.write(bulk: time)
            writer.write(bulk: Field.dataschema)
            writer.write(bulk: envelope.schemaVersion)
            add(Field.correlationID, envelope.correlationID.rawValue)
            add(Field.causationID, envelope.causationID)
            add(Field.examID, envelope.examID?.rawValue)
            add(Field.actor, envelope.actor?.rawValue)
            add(Field.traceparent, envelope.traceparent)
            guard !envelope.data.isEmpty else { return }
            writer.write(bulk: Field.data)
            writer.write(bulk: envelope.data)
        }
    }
}
