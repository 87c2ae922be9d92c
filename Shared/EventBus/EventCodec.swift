package import Domain
package import Redis

/// Events as stream entries: one field per attribute of CloudEvents, empty ones left out.
///
/// Data of more than `compressAbove` bytes is compressed, where that makes it smaller. What is then still more than
/// `largeData` bytes goes into a second stream of the partition, under the position of its event: who reads many events
/// then takes only the data of those wanted. Both are undone by whoever reads through `EventBus`.
package enum EventCodec {
    /// The default of `EVENT_COMPRESS_BYTES`.
    package static let compressAbove = 1024
    /// Bytes of data an entry holds at most when `EventBus` or `EventPublisher` wrote it.
    package static let largeData = 16 << 10
    /// Bytes of data an event may have. Compressed data that would unfold to more is refused.
    package static let maxData = 4 << 20

    /// Prepended to a script that changes state and appends the event about it in the same step. It defines
    /// `append_event(stream, at)`, where `at` is the index in `ARGV` of what `arguments(_:)` returned; it returns the
    /// event's position and the index after it:
    ///
    ///     redis.call('HSET', KEYS[1], 'status', 'graded')
    ///     local position, rest = append_event(KEYS[2], 4)
    ///
    /// The stream is `RedisKeys.events(partition)` of the same partition as the record. The data stays in the entry,
    /// however large it is.
    package static let appendPrelude: [UInt8] = PackageResources.event_append_lua

    /// Fields and values in the order they have in the stream.
    package static func fields(
        _ envelope: EventEnvelope, compressAbove: Int = EventCodec.compressAbove
    ) -> [(String, any RedisArgument)] {
        let encoded = EncodedEvent(envelope, compressAbove: compressAbove, largeData: .max)
        return encoded.fields
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
        /// `zstd` when the data is compressed.
        static let dataEncoding = "dataencoding"
        /// Bytes of the data, which is in the partition's second stream.
        static let dataAside = "dataaside"
        /// Not an attribute of the event: see `StoredEvent.onlyGroup`.
        static let onlyGroup = "onlygroup"
    }

    static let zstd = "zstd"
}

/// An event ready to be appended.
struct EncodedEvent {
    var fields: [(String, any RedisArgument)]
    /// What belongs into the second stream.
    var aside: [UInt8]?

    init(
        _ envelope: EventEnvelope, compressAbove: Int, largeData: Int = EventCodec.largeData
    ) {
        typealias Field = EventCodec.Field
        fields = [
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
        guard !envelope.data.isEmpty else { return }
        var data = envelope.data
        if data.count > compressAbove, let smaller = Zstd.compress(data) {
            data = smaller
            fields.append((Field.dataEncoding, EventCodec.zstd))
        }
        if data.count > largeData {
            fields.append((Field.dataAside, data.count))
            aside = data
        } else {
            fields.append((Field.data, data))
        }
    }
}
