package import Domain
package import Redis

/// Events as stream entries: one field per attribute of CloudEvents, empty ones left out.
package enum EventCodec {
    /// Prepended to a script that changes state and appends the event about it in the same step. It defines
    /// `append_event(stream, at)`, where `at` is the index in `ARGV` of what `arguments(_:)` returned; it returns the
    /// event's position and the index after it:
    ///
    ///     redis.call('HSET', KEYS[1], 'status', 'graded')
    ///     local position, rest = append_event(KEYS[2], 4)
    ///
    /// The stream is `RedisKeys.events(partition)` of the same partition as the record.
    package static let appendPrelude: [UInt8] = PackageResources.event_append_lua

    /// Fields and values in the order they have in the stream.
    package static func fields(_ envelope: EventEnvelope) -> [(String, any RedisArgument)] {
        var fields: [(String, any RedisArgument)] = [
            (Field.id, envelope.id), (Field.source, envelope.source), (Field.type, envelope.type.rawValue),
        ]
        func add(_ name: String, _ value: String?) {
            if let value, !value.isEmpty { fields.append((name, value)) }
        }
        add(Field.subject, envelope.subject)
        fields.append((Field.time, envelope.time.rfc3339))
        fields.append((Field.dataschema, envelope.schemaVersion))
        add(Field.correlationID, envelope.correlationID.rawValue)
        add(Field.causationID, envelope.causationID)
        add(Field.examID, envelope.examID?.rawValue)
        add(Field.actor, envelope.actor?.rawValue)
        add(Field.traceparent, envelope.traceparent)
        if !envelope.data.isEmpty { fields.append((Field.data, envelope.data)) }
        return fields
    }

    /// What `append_event` of `appendPrelude` expects: how many strings follow, then field, value, ….
    package static func arguments(_ envelope: EventEnvelope) -> [any RedisArgument] {
        let fields = fields(envelope)
        return [fields.count * 2] + flat(fields)
    }

    static func flat(_ fields: [(String, any RedisArgument)]) -> [any RedisArgument] {
        fields.flatMap { [$0.0, $0.1] as [any RedisArgument] }
    }

    enum Field {
        static let id = "id"
        static let source = "source"
        static let type = "type"
        static let subject = "subject"
        static let time = "time"
        static let dataschema = "dataschema"
        static let correlationID = "correlationid"
        static let causationID = "causationid"
        static let examID = "examid"
        static let actor = "actor"
        static let traceparent = "traceparent"
        static let data = "data"
        /// Not an attribute of the event: see `StoredEvent.onlyGroup`.
        static let onlyGroup = "onlygroup"
    }
}
