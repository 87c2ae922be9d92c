import Domain
import Redis
import TestSupport
import Testing

@testable import EventBus

/// Large data is compressed and kept aside, and nobody who reads notices.
@Suite(.timeLimit(.minutes(2))) struct DataEncodingTests {
    /// JSON that compresses well.
    private static func text(_ bytes: Int) -> [UInt8] {
        Array("\"\(String(repeating: "abcd", count: bytes / 4))\"".utf8)
    }

    /// JSON that hardly compresses.
    private static func noise(_ bytes: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        return [UInt8(ascii: "\"")] + (0..<bytes).map { _ in letters[Int(generator.next() & 63)] } + [
            UInt8(ascii: "\"")
        ]
    }

    private static func large(_ data: [UInt8], exam: ExamID = "exam-1") -> EventEnvelope {
        var event = event(0, exam: exam)
        event.data = data
        return event
    }

    /// Small, compressed, compressed and aside.
    private static let samples = [text(100), text(5000), noise(50_000)].map { large($0) }

    private func entries(_ fixture: BusFixture) async throws -> [RESPValue] {
        let stream = fixture.bus.keys.events(fixture.bus.partition(of: "exam-1"))
        return try await fixture.client.send(["XRANGE", stream, "-", "+"]).array ?? []
    }

    @Test func historyTailsAndHandlersSeeTheDataAsItWasPublished() async throws {
        try await BusFixture.run { fixture in
            let recorder = Recorder()
            let replica = try fixture.start("r1", [recorder])
            try await fixture.bus.publish(Self.samples)
            for (index, sample) in Self.samples.enumerated() {
                try await fixture.bus.publish(sample, deduplicationKey: "again-\(index)")
                try await fixture.bus.publish(sample, deduplicationKey: "again-\(index)")
            }
            let expected = Self.samples + Self.samples
            #expect(try await fixture.bus.history(EventQuery()).events.map(\.event) == expected)
            var tail = fixture.bus.tail(from: .beginning).makeAsyncIterator()
            for event in expected { #expect(try await tail.next()?.event == event) }
            try await until { recorder.all.count == expected.count }
            #expect(recorder.all.map(\.stored.event) == expected)
            try await replica.leave()
        }
    }

    @Test func entriesStaySmall() async throws {
        try await BusFixture.run { fixture in
            try await fixture.bus.publish(Self.samples)
            let sizes = try await entries(fixture).map { entry in
                (entry.array?.last?.array ?? []).reduce(0) { $0 + ($1.bytes?.count ?? 0) }
            }
            #expect(sizes.allSatisfy { $0 < 500 })
        }
    }

    @Test func theLimitOfCompressionIsASetting() async throws {
        try await BusFixture.run(BusFixture.quick { $0.compressAbove = 10_000 }) { fixture in
            try await fixture.bus.publish(Self.samples[1])
            let words = try await entries(fixture).first?.array?.last?.array ?? []
            #expect(words.contains { $0.bytes == Self.samples[1].data })
        }
    }

    @Test func eventsOfRecordScriptsAreCompressedToo() throws {
        let fields = EventCodec.fields(Self.samples[1])
        #expect(fields.contains { $0.0 == "dataencoding" })
        #expect(EventCodec.arguments(Self.samples[1]).count == 1 + 2 * fields.count)
    }

    @Test func dataBeyondTheGreatestSizeIsRefused() async throws {
        try await BusFixture.run { fixture in
            let event = Self.large(Self.text(EventCodec.maxData + 4))
            let error = await #expect(throws: EventBusError.self) { try await fixture.bus.publish(event) }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test func aBombIsADamagedEntry() throws {
        // 64 MiB of zeros in a few kilobytes.
        let zeros = [UInt8](repeating: 0, count: 64 << 20)
        let bomb = try #require(Zstd.compress(zeros))
        #expect(bomb.count < 20_000)
        #expect(throws: EventBusError.self) { try Zstd.decompress(bomb, limit: EventCodec.maxData) }
    }

    @Test func aFrameThatLiesAboutItsSizeIsADamagedEntry() throws {
        // Two frames in one piece: the first tells the size, the second goes beyond it.
        let frame = try #require(Zstd.compress(Self.text(4000)))
        #expect(throws: EventBusError.self) { try Zstd.decompress(frame + frame, limit: EventCodec.maxData) }
        #expect(throws: EventBusError.self) { try Zstd.decompress(Array(frame.dropLast(3)), limit: EventCodec.maxData) }
        #expect(throws: EventBusError.self) { try Zstd.decompress([], limit: EventCodec.maxData) }
        #expect(throws: EventBusError.self) { try Zstd.decompress(Array("{}".utf8), limit: EventCodec.maxData) }
    }

    @Test func damagedDataBecomesADeadLetterAndBlocksNothing() async throws {
        try await BusFixture.run { fixture in
            let recorder = Recorder()
            let replica = try fixture.start("r1", [recorder])
            let partition = fixture.bus.partition(of: "exam-1")
            var words = EventCodec.flat(EventCodec.fields(Self.samples[1]))
            words[words.count - 1] = "no frame"
            _ = try await fixture.client.send(
                RedisCommand("XADD", arguments: [fixture.bus.keys.events(partition), "*"] + words))
            try await fixture.bus.publish(event(1))
            try await until { recorder.numbers == [1] }
            try await until { try await fixture.bus.deadLetters().deadLetters.count == 1 }
            #expect(try await fixture.bus.history(EventQuery()).events.map(\.number) == [1])
            try await replica.leave()
        }
    }

    @Test func deadLettersKeepLargeDataAndBringItBack() async throws {
        try await BusFixture.run { fixture in
            let isBroken = Gate()
            let recorder = Recorder { _, _ in
                if !isBroken.isPassed { throw EventRejection("broken") }
            }
            let replica = try fixture.start("r1", [recorder])
            try await fixture.bus.publish(Self.samples)
            try await until { try await fixture.bus.deadLetters().deadLetters.count == 3 }
            let letters = try await fixture.bus.deadLetters().deadLetters
            #expect(letters.map(\.event) == Self.samples)
            isBroken.open()
            #expect(try await fixture.bus.requeue(letters.map(\.id)) == 3)
            try await until { recorder.all.count == 6 }
            #expect(recorder.all.suffix(3).map(\.stored.event) == Self.samples)
            try await replica.leave()
        }
    }
}
