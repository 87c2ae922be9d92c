import NIOCore
import Testing

@testable import WebSocket

@Suite struct WebSocketParserTests {
    /// All events of `bytes`, which come in pieces of `piece` bytes.
    private func parse(
        _ bytes: [UInt8], piece: Int = .max, role: WebSocketRole = .server, limit: Int = 1 << 20
    ) throws(WebSocketError) -> [WebSocketParser.Event] {
        var parser = WebSocketParser(role: role, maxMessageBytes: limit)
        var events: [WebSocketParser.Event] = []
        var index = 0
        while index < bytes.count {
            let end = min(bytes.count, index + min(piece, bytes.count))
            var input = ByteBuffer(bytes: bytes[index..<end])
            while let event = try parser.next(&input) { events.append(event) }
            index = end
        }
        return events
    }

    private func frame(
        _ first: UInt8, _ payload: [UInt8], mask: [UInt8] = [1, 2, 3, 4], length: [UInt8]? = nil
    ) -> [UInt8] {
        let header = [first] + (length ?? [0x80 | UInt8(payload.count)])
        return header + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
    }

    private func failure(_ bytes: [UInt8], role: WebSocketRole = .server, limit: Int = 1 << 20) -> UInt16? {
        do throws(WebSocketError) {
            _ = try parse(bytes, role: role, limit: limit)
            return nil
        } catch {
            return error.code.rawValue
        }
    }

    @Test(arguments: [1, 2, 3, 7, 4096])
    func `messages come out the same however their bytes arrive`(piece: Int) throws {
        let text = "阅卷 grading ✓ " + String(repeating: "x", count: 70_000)
        let bytes =
            frame(0x81, Array("hi".utf8)) + frame(0x01, Array("阅".utf8.prefix(2))) + frame(0x89, [9])
            + frame(0x80, Array("阅".utf8.suffix(1))) + frame(0x82, [])
            + Array(
                WebSocketFrame.masked(.text, ByteBuffer(string: text)).readableBytesView)
            + frame(0x88, [0x03, 0xE8] + Array("bye".utf8))
        #expect(
            try parse(bytes, piece: piece) == [
                .text(ByteBuffer(string: "hi")), .ping(ByteBuffer(bytes: [9])), .text(ByteBuffer(string: "阅")),
                .binary(ByteBuffer()), .text(ByteBuffer(string: text)), .close(.normal, reason: "bye"),
            ])
    }

    @Test func `a server's frames go through the parser of a client`() throws {
        for length in [0, 125, 126, 65_535, 65_536] {
            let payload = ByteBuffer(bytes: (0..<length).map { UInt8(truncatingIfNeeded: $0) })
            let bytes = Array(WebSocketFrame.encode(.binary, payload).readableBytesView)
            #expect(try parse(bytes, role: .client) == [.binary(payload)])
        }
    }

    @Test func `what the protocol does not allow is refused with its code`() {
        let cases: [(String, [UInt8], UInt16)] = [
            ("unmasked", [0x81, 0x01, 0x41], 1002),
            ("reserved bit 1", frame(0xC1, [0x41]), 1002),
            ("reserved bit 3", frame(0x91, [0x41]), 1002),
            ("reserved opcode", frame(0x83, []), 1002),
            ("reserved control opcode", frame(0x8B, []), 1002),
            ("continuation of nothing", frame(0x80, []), 1002),
            ("text within text", frame(0x01, [0x41]) + frame(0x81, [0x41]), 1002),
            ("fragmented ping", frame(0x09, []), 1002),
            ("long ping", frame(0x89, [], length: [0xFE, 0x00, 0x7E]), 1002),
            ("length of 16 bits that fits 7", frame(0x81, [], length: [0xFE, 0x00, 0x7D]), 1002),
            ("length of 64 bits that fits 16", frame(0x82, [], length: [0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]), 1002),
            ("negative length", frame(0x82, [], length: [0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0]), 1002),
            ("close of one byte", frame(0x88, [0x03]), 1002),
            ("close code 1005", frame(0x88, [0x03, 0xED]), 1002),
            ("close code 999", frame(0x88, [0x03, 0xE7]), 1002),
            ("close code 2999", frame(0x88, [0x0B, 0xB7]), 1002),
            ("close reason", frame(0x88, [0x03, 0xE8, 0xFF]), 1007),
            ("overlong slash", frame(0x81, [0xC0, 0xAF]), 1007),
            ("surrogate", frame(0x81, [0xED, 0xA0, 0x80]), 1007),
            ("beyond U+10FFFF", frame(0x81, [0xF4, 0x90, 0x80, 0x80]), 1007),
            ("half a character at the end", frame(0x81, [0xE9, 0x98]), 1007),
            // Before the rest has come.
            ("wrong byte in an open fragment", frame(0x01, [0xE9, 0x41]), 1007),
        ]
        for (name, bytes, code) in cases { #expect(failure(bytes) == code, "\(name)") }
        #expect(failure(frame(0x81, [0x41]), role: .client) == 1002)
    }

    @Test func `a message larger than the limit is refused at its header, fragments together`() {
        let announced = frame(0x82, [], length: [0xFE, 0x04, 0x01])
        #expect(failure(announced, limit: 1024) == 1009)
        let fragment = [UInt8](repeating: 0, count: 100)
        #expect(failure(frame(0x02, fragment) + frame(0x00, fragment), limit: 199) == 1009)
        #expect(failure(frame(0x02, fragment) + frame(0x80, fragment), limit: 200) == nil)
    }

    @Test func `random text is accepted exactly when the standard library takes it`() {
        var random = SystemRandomNumberGenerator()
        let pieces: [[UInt8]] = [
            Array("a".utf8), Array("é".utf8), Array("阅".utf8), Array("😀".utf8), [0x80], [0xE0, 0x9F], [0xED, 0x9F],
            [0xF0, 0x8F], [0xF4, 0x8F], [0xC1], [0xFE],
        ]
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...24, using: &random)).flatMap { _ in
                Bool.random() ? [0x41] : pieces.randomElement(using: &random) ?? []
            }
            let isValid = String(validating: bytes, as: UTF8.self) != nil
            #expect((failure(frame(0x81, bytes)) == nil) == isValid, "\(bytes)")
        }
    }
}
