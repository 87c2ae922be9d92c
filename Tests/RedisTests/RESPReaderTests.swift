import NIOCore
import Testing

@testable import Redis

@Suite struct RESPReaderTests {
    private static let samples: [(String, RESPValue)] = [
        ("+OK\r\n", .simpleString("OK")),
        ("-ERR wrong\r\n", .error(RedisServerError(message: "ERR wrong"))),
        (":-42\r\n", .integer(-42)),
        (":9223372036854775807\r\n", .integer(.max)),
        ("$5\r\na\r\nbc\r\n", .bulk(Array("a\r\nbc".utf8))),
        ("$0\r\n\r\n", .bulk([])),
        ("$-1\r\n", .null),
        ("*-1\r\n", .null),
        ("*0\r\n", .array([])),
        (
            "*4\r\n*2\r\n:1\r\n*0\r\n$-1\r\n+a\r\n-NO b\r\n",
            .array([
                .array([.integer(1), .array([])]), .null, .simpleString("a"),
                .error(RedisServerError(message: "NO b")),
            ])
        ),
    ]

    private func replies(_ reader: RESPReader, _ bytes: some Sequence<UInt8>) throws -> [RESPValue] {
        try reader.feed(ByteBuffer(bytes: bytes))
        var replies: [RESPValue] = []
        while let reply = try reader.next() {
            replies.append(reply)
        }
        return replies
    }

    @Test(arguments: samples) func aReplyIsReadWhole(text: String, expected: RESPValue) throws {
        #expect(try replies(RESPReader(maxReplyBytes: 1024), text.utf8) == [expected])
    }

    @Test func repliesAreReadByteByByte() throws {
        let reader = try RESPReader(maxReplyBytes: 1024)
        var seen: [RESPValue] = []
        for byte in Self.samples.flatMap({ Array($0.0.utf8) }) {
            seen += try replies(reader, [byte])
        }
        #expect(seen == Self.samples.map(\.1))
    }

    /// Words seen before share storage, found by their length and their ends.
    @Test func wordsThatLookAlikeStayApart() throws {
        let words = [
            "subject", "sobject", "subject", "object", "sub", "s", "", "subject", "\u{00}ubject", "sixteen letters!",
        ]
        let text = words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
        let reader = try RESPReader(maxReplyBytes: 1024)
        for _ in 0..<2 {
            #expect(try replies(reader, text.utf8) == words.map { .bulk(Array($0.utf8)) })
        }
    }

    @Test func manyRepliesInOnePieceAreReadInOrder() throws {
        let reader = try RESPReader(maxReplyBytes: 64)
        let text = (0..<1000).map { ":\($0)\r\n" }.joined()
        #expect(try replies(reader, text.utf8) == (0..<1000).map { .integer($0) })
    }

    @Test(arguments: [
        "hello\r\n", "\0\0\0\0", "$abc\r\n", "*1\r\n?\r\n", ":12a\r\n", "$-2\r\n", "*-2\r\n",
        "*9223372036854775807\r\n", "$9223372036854775807\r\n+OK\r\n+OK\r\n+OK\r\n", "HTTP/1.1 400 Bad Request\r\n",
    ])
    func bytesThatAreNoReplyAreRefusedOrWaitForMore(text: String) throws {
        let reader = try RESPReader(maxReplyBytes: 16)
        #expect(throws: RESPReader.Violation.self) {
            _ = try replies(reader, text.utf8)
            // A length that is allowed as such runs into the limit with the bytes that follow.
            _ = try replies(reader, [UInt8](repeating: 0x20, count: 32))
        }
    }

    @Test func aReplyBeyondTheLimitIsRefusedBeforeItIsComplete() throws {
        let reader = try RESPReader(maxReplyBytes: 100)
        #expect(try replies(reader, "$80\r\n".utf8 + [UInt8](repeating: 1, count: 80) + "\r\n".utf8).count == 1)
        #expect(try replies(reader, "$5000\r\n".utf8 + [UInt8](repeating: 1, count: 50)).isEmpty)
        #expect(throws: RESPReader.Violation.self) { _ = try replies(reader, [UInt8](repeating: 1, count: 50)) }
    }

    @Test func aCompleteReplyBeyondTheLimitIsRefused() throws {
        let reader = try RESPReader(maxReplyBytes: 100)
        #expect(throws: RESPReader.Violation.self) {
            _ = try replies(reader, "$100\r\n".utf8 + [UInt8](repeating: 1, count: 100) + "\r\n".utf8)
        }
    }

    @Test func anArrayThatCannotFitTheLimitIsRefusedByItsHeader() throws {
        let reader = try RESPReader(maxReplyBytes: 1000)
        #expect(throws: RESPReader.Violation.self) { _ = try replies(reader, "*1000000\r\n".utf8) }
    }

    @Test func nestingIsReadToSevenLevelsAndRefusedBeyond() throws {
        let seven = String(repeating: "*1\r\n", count: 7) + ":1\r\n"
        let value = (0..<7).reduce(RESPValue.integer(1)) { value, _ in .array([value]) }
        #expect(try replies(RESPReader(maxReplyBytes: 1024), seven.utf8) == [value])
        let deep = try RESPReader(maxReplyBytes: 1 << 20)
        #expect(throws: RESPReader.Violation.self) {
            _ = try replies(deep, String(repeating: "*1\r\n", count: 20).utf8)
        }
    }

    @Test func damagedRepliesNeverEndInMoreThanAnError() throws {
        let whole = Self.samples.flatMap { Array($0.0.utf8) }
        var random = SystemRandomNumberGenerator()
        var refused = 0
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            do {
                _ = try replies(RESPReader(maxReplyBytes: 4096), bytes)
            } catch is RESPReader.Violation {
                refused += 1
            }
        }
        #expect(refused > 0)
    }
}
