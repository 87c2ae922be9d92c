import Foundation
import Testing

@testable import Domain

/// What is stored in streams and sent to webhooks must stay readable: each kind of event has a sample that may not
/// change without a new schema version.
@Suite("Samples of events")
struct EventSampleTests {
    @Test("Every event of the catalogue has a sample of each of its versions, and no sample is of another")
    func everyEventHasASample() {
        let expected = EventCatalog.all.flatMap { kind in
            (1...kind.schemaVersion).map { "\(kind.type.rawValue) \($0)" }
        }
        #expect(EventSamples.all.map(\.testDescription).sorted() == expected.sorted())
        #expect(Set(EventCatalog.all.map { $0.type }).count == EventCatalog.all.count)
    }

    @Test(
        "A sample of any version decodes, and one of the present version is written again as it was",
        arguments: EventSamples.all)
    func roundTrip(_ sample: EventSample) throws {
        let kind = try #require(EventCatalog.all.first { $0.type.rawValue == sample.type })
        let (text, subject) = try Self.again(kind, sample.json, version: sample.version)
        if sample.version == kind.schemaVersion { #expect(text == sample.json) }
        #expect(subject == sample.subject)
    }

    @Test("Without any one of its fields a sample is refused, or the field may be absent", arguments: EventSamples.all)
    func missingFields(_ sample: EventSample) throws {
        let kind = try #require(EventCatalog.all.first { $0.type.rawValue == sample.type })
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(sample.json.utf8)) as? [String: Any])
        for field in object.keys {
            var rest = object
            rest[field] = nil
            let text = String(decoding: try JSONSerialization.data(withJSONObject: rest), as: UTF8.self)
            if sample.optional.contains(field) {
                #expect(throws: Never.self, "\(field)") { try Self.again(kind, text, version: sample.version) }
            } else {
                #expect(throws: DecodingError.self, "\(field)") { try Self.again(kind, text, version: sample.version) }
            }
        }
    }

    @Test("An envelope takes type, subject, cause and time over")
    func envelope() throws {
        let context = EventContext(
            source: "/zhiyue/test", correlationID: "chain", causationID: "cause", actor: "li", traceparent: "00-1")
        let time = Timestamp(milliseconds: 1_795_335_330_125)
        let payload = SheetUploaded(sheetID: "e1.s1", blob: "b", filePage: 2)
        let event = try EventEnvelope(payload, examID: "e1", context: context, time: time)
        #expect(event.type == "sheet.uploaded")
        #expect(event.subject == "e1.s1")
        #expect(event.time == time)
        #expect(event.schemaVersion == 1)
        #expect(event.partitionKey == "e1")
        #expect(try event.decode(SheetUploaded.self).filePage == 2)
        let effect = EventContext(causedBy: event, source: "/zhiyue/next")
        #expect(effect.correlationID == "chain")
        #expect(effect.causationID == event.id)
        #expect(effect.actor == "li")
        #expect(effect.traceparent == "00-1")
        let system = try EventEnvelope(
            SystemHealthCheck(healthy: true, services: [:]), examID: nil, context: context)
        #expect(system.partitionKey == "system.health_check")
    }

    private static func again<Payload: EventPayload>(
        _ type: Payload.Type, _ text: String, version: Int
    ) throws -> (text: String, subject: String) {
        let value = try type.decode(Array(text.utf8), version: version)
        return (try JSON.string(value), value.subject)
    }
}
