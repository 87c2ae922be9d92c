/// A fact that happened, with the attributes of CloudEvents 1.0.
package struct EventEnvelope: Sendable, Equatable {
    /// A version 7 UUID.
    package var id: String
    /// The process that published it, `/zhiyue/gateway`.
    package var source: String
    package var type: EventType
    package var subject: String
    package var time: Timestamp
    package var schemaVersion: Int
    package var correlationID: CorrelationID
    /// The event or task that led to this one.
    package var causationID: String?
    /// nil for events of the system, which live in the partition of their type.
    package var examID: ExamID?
    /// The user on whose behalf it happened.
    package var actor: UserID?
    /// W3C trace context.
    package var traceparent: String?
    /// JSON.
    package var data: [UInt8]

    package init(
        id: String, source: String, type: EventType, subject: String, time: Timestamp, schemaVersion: Int,
        correlationID: CorrelationID, causationID: String? = nil, examID: ExamID? = nil, actor: UserID? = nil,
        traceparent: String? = nil, data: [UInt8]
    ) {
        self.id = id
        self.source = source
        self.type = type
        self.subject = subject
        self.time = time
        self.schemaVersion = schemaVersion
        self.correlationID = correlationID
        self.causationID = causationID
        self.examID = examID
        self.actor = actor
        self.traceparent = traceparent
        self.data = data
    }

    /// A new event about `payload`.
    package init(
        _ payload: some EventPayload, examID: ExamID?, context: EventContext, time: Timestamp = .now
    ) throws {
        let payloadType = Swift.type(of: payload)
        self.init(
            id: UUIDv7.make(at: time).string, source: context.source, type: payloadType.type, subject: payload.subject,
            time: time, schemaVersion: payloadType.schemaVersion, correlationID: context.correlationID,
            causationID: context.causationID, examID: examID, actor: context.actor, traceparent: context.traceparent,
            data: try JSON.encode(payload))
    }

    /// What decides the partition: all events of an exam share one.
    package var partitionKey: String { examID?.rawValue ?? type.rawValue }

    /// The data in the form this program knows, whatever version it was written in.
    ///
    /// - Throws: `DecodingError` when the data does not fit `type`; `EventVersionError` when it is of a version to come,
    ///   whose meaning can only be guessed.
    package func decode<Payload: EventPayload>(_ type: Payload.Type) throws -> Payload {
        guard schemaVersion <= type.schemaVersion else {
            throw EventVersionError(type: self.type, version: schemaVersion, known: type.schemaVersion)
        }
        return try type.decode(data, version: max(1, schemaVersion))
    }
}

/// An event was written by a later release than this one.
package struct EventVersionError: Error, Equatable, CustomStringConvertible {
    package let type: EventType
    package let version: Int
    /// The latest version this program knows.
    package let known: Int

    package var description: String {
        "The event \(type) has version \(version) of its data, and this program knows up to \(known)"
    }
}

/// What an event or task inherits from what caused it.
package struct EventContext: Sendable, Equatable {
    package var source: String
    package var correlationID: CorrelationID
    package var causationID: String?
    package var actor: UserID?
    /// Where the request came from. The audit log has it; events and tasks do not carry it on.
    package var address: String?
    package var traceparent: String?

    package init(
        source: String, correlationID: CorrelationID, causationID: String? = nil, actor: UserID? = nil,
        address: String? = nil, traceparent: String? = nil
    ) {
        self.source = source
        self.correlationID = correlationID
        self.causationID = causationID
        self.actor = actor
        self.address = address
        self.traceparent = traceparent
    }

    /// The context of whatever `event` causes.
    package init(causedBy event: EventEnvelope, source: String) {
        self.init(
            source: source, correlationID: event.correlationID, causationID: event.id, actor: event.actor,
            traceparent: event.traceparent)
    }
}
