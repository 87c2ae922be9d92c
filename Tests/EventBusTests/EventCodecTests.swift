import Domain
import Testing

@testable import EventBus
@testable import Redis

@Suite struct EventCodecTests {
    private static let full = EventEnvelope(
        id: "0190", source: "/zhiyue/gateway", type: "grading.completed", subject: "e1.s1",
        time: Timestamp(milliseconds: 1_795_335_330_125), schemaVersion: 2, correlationID: "c1", causationID: "t1",
        examID: "e1", actor: "li", traceparent: "00-1-2-01", data: Array(#"{"score":7.5}"#.utf8))

    private func entry(_ event: EventEnvelope, extra: [String] = []) -> RESPValue {
        let words = EventCodec.flat(EventCodec.fields(event)) + extra
        return .array([
            .bulk(Array("1795335330125-3".utf8)),
            .array(
                words.map { word in
                    switch word {
                    case let text as String: .bulk(Array(text.utf8))
                    case let number as Int: .bulk(Array("\(number)".utf8))
                    case let bytes as [UInt8]: .bulk(bytes)
                    default: .null
                    }
                }),
        ])
    }

    @Test func anEventSurvivesTheStream() throws {
        let stored = try EventCodec.decode(entry(Self.full), partition: 5)
        #expect(stored.event == Self.full)
        #expect(stored.position == StreamPosition(milliseconds: 1_795_335_330_125, sequence: 3))
        #expect(stored.partition == 5)
    }

    /// Publishing has a way of its own to write what `fields(_:)` lists.
    @Test(arguments: [false, true]) func whatIsPublishedIsWhatTheFieldsSay(isBare: Bool) {
        var event = Self.full
        if isBare {
            event.subject = ""
            event.correlationID = ""
            event.causationID = nil
            event.examID = nil
            event.actor = nil
            event.traceparent = ""
            event.data = []
        }
        event.source = String(repeating: "源", count: 5000)
        let command = EventCodec.append(event, stream: "events:{p3}", maxLength: 2_000_000)
        let listed = RedisCommand(
            "XADD",
            arguments: ["events:{p3}", "MAXLEN", "~", 2_000_000, "*"] + EventCodec.flat(EventCodec.fields(event)))
        #expect(command.encodedArguments == listed.encodedArguments)
        #expect(command.argumentCount == listed.argumentCount)
    }

    @Test func attributesHaveAFixedOrderAndEmptyOnesAreLeftOut() {
        #expect(
            EventCodec.fields(Self.full).map(\.0) == [
                "id", "source", "type", "subject", "time", "dataschema", "correlationid", "causationid", "examid",
                "actor", "traceparent", "data",
            ])
        let bare = EventEnvelope(
            id: "1", source: "s", type: "system.health_check", subject: "", time: Timestamp(milliseconds: 0),
            schemaVersion: 1, correlationID: "", data: [])
        #expect(EventCodec.fields(bare).map(\.0) == ["id", "source", "type", "time", "dataschema"])
    }

    @Test func fieldsOfALaterVersionAreSkipped() throws {
        #expect(try EventCodec.decode(entry(Self.full, extra: ["colour", "red"]), partition: 0).event == Self.full)
    }

    @Test(arguments: [RESPValue.null, .array([]), .array([.bulk(Array("1-1".utf8)), .array([])]), .integer(7)])
    func whatIsNoEventIsRefused(entry: RESPValue) {
        #expect(throws: EventBusError.self) { try EventCodec.decode(entry, partition: 0) }
    }

    @Test func theArgumentsOfAScriptBeginWithTheirCount() {
        let arguments = EventCodec.arguments(Self.full)
        #expect(arguments.first as? Int == arguments.count - 1)
    }

    @Test func cloudEventsJSONHoldsAllAttributesAndTheDataAsItIs() throws {
        let stored = StoredEvent(
            position: StreamPosition(milliseconds: 7, sequence: 1), partition: 3, event: Self.full)
        #expect(
            String(decoding: try EventCodec.cloudEventJSON(stored), as: UTF8.self)
                == #"{"actor":"li","causationid":"t1","correlationid":"c1","datacontenttype":"application/json","#
                + #""dataschema":"urn:zhiyue:event:grading.completed:2","examid":"e1","id":"0190","partition":3,"#
                + #""sequence":"7-1","source":"/zhiyue/gateway","specversion":"1.0","subject":"e1.s1","#
                + #""time":"2026-11-22T08:15:30.125Z","traceparent":"00-1-2-01","type":"grading.completed","#
                + #""data":{"score":7.5}}"#)
    }

    @Test(arguments: [
        "2026-02-30T00:00:00.000Z", "2026-13-01T00:00:00.000Z", "yesterday", "", "2026-01-01T24:00:00.000Z",
    ])
    func whatIsNoTimeIsRefused(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }
}

@Suite struct StreamPositionTests {
    @Test func positionsAreOrderedAsNumbers() throws {
        let positions = try ["9-10", "9-9", "10-0", "9-100"].map { try #require(StreamPosition($0)) }
        #expect(positions.sorted().map(\.description) == ["9-9", "9-10", "9-100", "10-0"])
    }

    @Test(arguments: ["", "-", "1-", "-1", "1-2-3", "a-1", "18446744073709551616-0"])
    func whatIsNoPositionIsRefused(text: String) {
        #expect(StreamPosition(text) == nil)
    }

    @Test func cursorsSurviveText() throws {
        let cursor = EventCursor(position: StreamPosition(milliseconds: 12, sequence: 3), partition: 7)
        #expect(EventCursor(cursor.description) == cursor)
        #expect(EventCursor("12-3") == nil)
    }
}
