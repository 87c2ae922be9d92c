import Testing

@testable import Domain

/// An event that changed its meaning twice: whole points became decimal ones, then the student's name was split.
private struct ScoreGiven: EventPayload, Equatable {
    static let type: EventType = "score.given"
    static let schemaVersion = 3

    var score: Double
    var given: String
    var family: String

    var subject: String { family }

    private struct Version1: Decodable {
        var points: Int
        var student: String

        var next: Version2 { Version2(score: Double(points), student: student) }
    }

    fileprivate struct Version2: Decodable {
        var score: Double
        var student: String

        var next: ScoreGiven {
            let names = student.split(separator: " ", maxSplits: 1).map(String.init)
            return ScoreGiven(score: score, given: names.first ?? "", family: names.last ?? "")
        }
    }

    static func decode(_ data: [UInt8], version: Int) throws -> Self {
        switch version {
        case 1: try JSON.decode(Version1.self, from: data).next.next
        case 2: try JSON.decode(Version2.self, from: data).next
        default: try JSON.decode(Self.self, from: data)
        }
    }
}

@Suite("Versions of an event's data")
struct EventVersionTests {
    private func event(_ json: String, version: Int) -> EventEnvelope {
        EventEnvelope(
            id: "1", source: "/zhiyue/test", type: ScoreGiven.type, subject: "Wang", time: .now, schemaVersion: version,
            correlationID: "c1", data: Array(json.utf8))
    }

    @Test(
        "Data of every older version decodes into the present form",
        arguments: [
            (1, #"{"points":7,"student":"Li Wang"}"#), (2, #"{"score":7,"student":"Li Wang"}"#),
            (3, #"{"family":"Wang","given":"Li","score":7}"#),
        ])
    func olderVersions(version: Int, json: String) throws {
        #expect(
            try event(json, version: version).decode(ScoreGiven.self)
                == ScoreGiven(score: 7, given: "Li", family: "Wang"))
    }

    @Test("What is published has the present version")
    func published() throws {
        let event = try EventEnvelope(
            ScoreGiven(score: 1, given: "a", family: "b"), examID: "e1",
            context: EventContext(source: "/zhiyue/test", correlationID: "c1"))
        #expect(event.schemaVersion == 3)
        #expect(try event.decode(ScoreGiven.self).score == 1)
    }

    @Test("Data of a version to come is refused with its number, even when it would fit")
    func laterVersion() {
        let error = #expect(throws: EventVersionError.self) {
            try event(#"{"family":"Wang","given":"Li","score":7}"#, version: 4).decode(ScoreGiven.self)
        }
        #expect(error?.version == 4)
        #expect(error?.known == 3)
    }

    @Test("Data of an older version that is damaged is refused")
    func damaged() {
        #expect(throws: DecodingError.self) {
            try event(#"{"score":7}"#, version: 1).decode(ScoreGiven.self)
        }
    }
}
