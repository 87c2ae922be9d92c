import Testing

@testable import Domain

@Suite("Values of the domain")
struct ValueTests {
    @Test("The partition hash is that of Redis Cluster")
    func partitionHash() {
        #expect(PartitionHash.crc16("123456789") == 0x31C3)
        #expect(PartitionHash.crc16("") == 0)
        #expect(PartitionHash.crc16("foo") % 16_384 == 12_182)
        #expect(PartitionHash.crc16("somekey") % 16_384 == 11_058)
        for count in 1...17 {
            for number in 0..<200 {
                #expect((0..<count).contains(PartitionHash.partition(of: "exam-\(number)", count: count)))
            }
        }
    }

    @Test("A version 7 UUID carries its version, its variant and its time, and sorts by it")
    func uuid() throws {
        var last = ""
        for milliseconds: Int64 in [0, 1, 255, 65_536, 1_795_335_330_125, 1_795_335_330_126, (1 << 48) - 1] {
            let id = UUIDv7.make(at: Timestamp(milliseconds: milliseconds))
            let text = id.string
            let parts = text.split(separator: "-").map(\.count)
            #expect(parts == [8, 4, 4, 4, 12])
            #expect(text.replacing("-", with: "") == id.compactString)
            #expect(Int64(id.compactString.prefix(12), radix: 16) == milliseconds)
            let digits = Array(id.compactString)
            #expect(digits[12] == "7")
            #expect("89ab".contains(digits[16]))
            #expect(last < text)
            last = text
        }
        #expect(Set((0..<1000).map { _ in UUIDv7.make(at: Timestamp(milliseconds: 5)).string }).count == 1000)
    }

    @Test(
        "A time is written in RFC 3339 with milliseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_795_335_330_125, "2026-11-22T08:15:30.125Z"),
            (1_709_164_799_999, "2024-02-28T23:59:59.999Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func timeText(_ milliseconds: Int64, _ text: String) {
        #expect(Timestamp(milliseconds: milliseconds).rfc3339 == text)
        #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test("Every millisecond survives its text")
    func timeRoundTrip() {
        for offset in 0..<1000 {
            let time = Timestamp(milliseconds: 1_795_335_330_000 + Int64(offset))
            #expect(Timestamp(rfc3339: time.rfc3339) == time)
        }
        for _ in 0..<2000 {
            let time = Timestamp(milliseconds: .random(in: 0...4_102_444_800_000))
            #expect(Timestamp(rfc3339: time.rfc3339) == time)
        }
    }

    @Test("Whole seconds are read too, and what is no time is refused")
    func otherTimes() {
        #expect(Timestamp(rfc3339: "2026-11-22T08:15:30Z")?.milliseconds == 1_795_335_330_000)
        for text in ["", "now", "2026-11-22", "2026-13-22T08:15:30Z", "2026-11-22T08:15:30", "1795335330"] {
            #expect(Timestamp(rfc3339: text) == nil, "\(text)")
        }
        #expect(throws: DecodingError.self) { try JSON.decode([Timestamp].self, from: #"["yesterday"]"#) }
    }

    @Test("Equal values are equal bytes of JSON")
    func json() throws {
        #expect(try JSON.string(["b": "/", "a": "<"]) == #"{"a":"<","b":"/"}"#)
    }

    @Test("Points add up exactly to the hundredth")
    func score() {
        #expect(Score.sum(Array(repeating: 0.1, count: 30)) == 3)
        #expect(Score.sum([0.1, 0.2]) == 0.3)
        #expect(Score.sum([]) == 0)
        #expect(Score.rounded(1.0 / 3) == 0.33)
    }
}
