import CZlib
import NIOCore
import Testing

@testable import WebSocket

/// Compressed messages on their way through frames and parser.
@Suite struct MessageDeflateTests {
    private func parse(
        _ bytes: [UInt8], pieces: () -> Int = { .max }, role: WebSocketRole = .server, limit: Int = 1 << 20,
        allowsDeflate: Bool = true
    ) throws(WebSocketError) -> [WebSocketParser.Event] {
        var parser = WebSocketParser(role: role, maxMessageBytes: limit, allowsDeflate: allowsDeflate)
        var events: [WebSocketParser.Event] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = pieces()
            var input = ByteBuffer(bytes: rest.prefix(piece))
            while let event = try parser.next(&input) { events.append(event) }
            rest = rest.dropFirst(piece)
        }
        return events
    }

    private func code(_ bytes: [UInt8], limit: Int = 1 << 20, allowsDeflate: Bool = true) -> UInt16? {
        do throws(WebSocketError) {
            _ = try parse(bytes, limit: limit, allowsDeflate: allowsDeflate)
            return nil
        } catch {
            return error.code.rawValue
        }
    }

    /// A client's frame.
    private func frame(_ first: UInt8, _ payload: some Collection<UInt8>) -> [UInt8] {
        var bytes = Array(WebSocketFrame.masked(.binary, ByteBuffer(bytes: payload)).readableBytesView)
        bytes[0] = first
        return bytes
    }

    private let hello: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]

    @Test func `the examples of the standard are read`() throws {
        let expected = [WebSocketParser.Event.text(ByteBuffer(string: "Hello"))]
        #expect(try parse(frame(0xC1, hello)) == expected)
        #expect(try parse(frame(0x41, hello.prefix(3)) + frame(0x80, hello.dropFirst(3))) == expected)
        // Not compressed although it might be; stored; said to be the last block; two blocks.
        #expect(try parse(frame(0xC1, [0x00, 0x05, 0x00, 0xFA, 0xFF] + Array("Hello".utf8) + [0x00])) == expected)
        #expect(try parse(frame(0xC1, [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00])) == expected)
        #expect(
            try parse(
                frame(0xC1, [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00])) == expected
        )
        #expect(try parse(frame(0x81, Array("Hello".utf8))) == expected)
        // Nothing, as it should be and as some send it.
        #expect(try parse(frame(0xC1, [0x00]) + frame(0xC2, [])) == [.text(ByteBuffer()), .binary(ByteBuffer())])
    }

    @Test func `messages do not depend on those before, and controls come between their frames`() throws {
        let ping = frame(0x89, [1])
        let message = frame(0x41, hello.prefix(1)) + ping + frame(0x00, []) + ping + frame(0x80, hello.dropFirst(1))
        #expect(
            try parse(message + frame(0x82, [7]) + message, pieces: { 1 }) == [
                .ping(ByteBuffer(bytes: [1])), .ping(ByteBuffer(bytes: [1])), .text(ByteBuffer(string: "Hello")),
                .binary(ByteBuffer(bytes: [7])),
                .ping(ByteBuffer(bytes: [1])), .ping(ByteBuffer(bytes: [1])), .text(ByteBuffer(string: "Hello")),
            ])
    }

    @Test func `the mark of a compressed message is refused where it does not belong`() {
        #expect(code(frame(0xC1, hello), allowsDeflate: false) == 1002)
        let cases: [(String, [UInt8])] = [
            ("ping", frame(0xC9, [])), ("pong", frame(0xCA, [])), ("close", frame(0xC8, [])),
            ("continuation", frame(0x41, hello.prefix(3)) + frame(0xC0, hello.dropFirst(3))),
            ("continuation of a plain message", frame(0x01, [0x41]) + frame(0xC0, [])),
            ("another reserved bit", frame(0xA1, hello)), ("two bits", frame(0xE1, hello)),
            ("three", frame(0xF1, hello)),
        ]
        for (name, bytes) in cases { #expect(code(bytes) == 1002, "\(name)") }
    }

    @Test func `what is no deflate is refused`() {
        let cases: [(String, [UInt8])] = [
            ("no such block", [0x07]), ("wrong length of a stored block", [0x00, 0x05, 0x00, 0x00, 0x00]),
            ("cut off", Array(hello.dropLast(2))), ("cut off in a stored block", [0x00, 0x09, 0x00, 0xF6, 0xFF, 0x41]),
            ("rubbish behind it", hello + [0xFF, 0xFF, 0xFF]),
            ("rubbish behind the last block", [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x55, 0x66, 0x77]),
            ("one's tail not left off, and more", hello + [0x00, 0x00, 0xFF, 0xFE]),
            ("reference to the message before", [0xF2, 0x00, 0x11, 0x00, 0x00]),
            ("zlib's header", [0x78, 0x9C] + hello),
        ]
        for (name, bytes) in cases { #expect(code(frame(0xC2, bytes)) == 1007, "\(name)") }
    }

    @Test func `text is checked behind the compression, over the bounds of frames and blocks`() throws {
        func message(_ content: [UInt8]) -> [UInt8] { DeflateStream(piece: 1).message(content) }
        let text = Array("阅卷 😀".utf8)
        #expect(try parse(frame(0xC1, message(text))) == [.text(ByteBuffer(bytes: text))])
        #expect(code(frame(0xC1, message([0x41, 0xFF]))) == 1007)
        #expect(code(frame(0xC1, message(text.dropLast()))) == 1007)
        #expect(code(frame(0xC2, message([0x41, 0xFF]))) == nil)
        // What a message leaves unfinished is not the next one's.
        #expect(try parse(frame(0x82, text.dropLast()) + frame(0xC1, hello)).count == 2)
    }

    @Test func `a message may be as large as the limit and not a byte larger`() throws {
        for content in [[UInt8](repeating: 7, count: 5000), (0..<5000).map { _ in UInt8.random(in: 0...255) }] {
            for stream in [DeflateStream(), DeflateStream(level: 0), DeflateStream(piece: 100, flush: Z_FINISH)] {
                let message = frame(0xC2, stream.message(content))
                #expect(try parse(message, limit: 5000) == [.binary(ByteBuffer(bytes: content))])
                #expect(code(message, limit: 4999) == 1009)
            }
        }
    }

    @Test func `a bomb is refused without unpacking more than the limit`() throws {
        // 64 MiB in 64 KiB.
        let bomb = DeflateStream(level: 9).message([UInt8](repeating: 0, count: 64 << 20))
        #expect(bomb.count < 100_000)
        #expect(code(frame(0xC2, bomb), limit: 1 << 20) == 1009)
        #expect(code(frame(0xC2, bomb.prefix(15_000)), limit: 16 << 10) == 1009)
        // Refused at its header already.
        #expect(code(Array(frame(0xC2, bomb).prefix(14)), limit: 16 << 10) == 1009)
        do throws(WebSocketError) {
            _ = try MessageInflater.inflate(ByteBuffer(bytes: bomb), limit: 100_000)
            Issue.record("unpacked")
        } catch {
            #expect(error.code == .messageTooBig)
        }
        // Much of nothing.
        let nothing = [UInt8](repeating: 0, count: 20_000)
        #expect(code(frame(0xC2, nothing), limit: 16 << 10) == 1009)
    }

    @Test func `whatever a peer does with its content, it comes out the same`() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<400 {
            let content = Self.content(using: &random)
            let stream = DeflateStream.random(using: &random)
            var payload = stream.message(content)[...]
            var bytes: [UInt8] = []
            var first: UInt8 = 0x42
            var events: [WebSocketParser.Event] = []
            repeat {
                let part = payload.prefix(.random(in: 0...max(1, payload.count * 2), using: &random))
                payload = payload.dropFirst(part.count)
                bytes += frame(first | (payload.isEmpty ? 0x80 : 0), part)
                first = 0
                if !payload.isEmpty, Bool.random(using: &random) {
                    bytes += frame(0x8A, [3])
                    events.append(.pong(ByteBuffer(bytes: [3])))
                }
            } while !payload.isEmpty
            events.append(.binary(ByteBuffer(bytes: content)))
            let parsed = try parse(
                bytes, pieces: { .random(in: 1...5000, using: &random) }, limit: max(1, content.count) * 20)
            #expect(parsed == events, "\(content.count) \(stream)")
        }
    }

    @Test func `whatever bytes come, they are taken or refused with a code for that`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var payload = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) {
                // Nearly right.
                payload = DeflateStream.random(using: &random).message(Self.content(upTo: 5000, using: &random))
                if let index = payload.indices.randomElement(using: &random) {
                    payload[index] = .random(in: 0...255, using: &random)
                }
            }
            let code = code(frame(0xC1, payload), limit: 4096)
            #expect(code == nil || code == 1007 || code == 1009)
        }
    }

    @Test func `what is sent can be read by every peer that keeps to the window agreed on`() throws {
        var random = SystemRandomNumberGenerator()
        for bits in 9...15 {
            let deflater = try #require(MessageDeflater(windowBits: bits))
            for _ in 0..<40 {
                let content = Self.content(using: &random)
                guard let payload = deflater.deflate(ByteBuffer(bytes: content)) else { continue }
                #expect(payload.readableBytes < content.count)
                #expect(Self.inflate(Array(payload.readableBytesView), windowBits: bits) == content)
            }
        }
    }

    @Test func `a frame is compressed if that makes it smaller`() throws {
        let deflater = try #require(MessageDeflater())
        for length in [100, 125, 126, 1000, 65_535, 65_536, 100_000] {
            let payload = ByteBuffer(
                string: String(repeating: "阅卷", count: length / 6) + String(repeating: "x", count: length % 6))
            let frame = WebSocketFrame.encode(.text, payload)
            let deflated = try #require(WebSocketFrame.deflate(frame, by: deflater))
            #expect(deflated.readableBytes < frame.readableBytes)
            #expect(try parse(Array(deflated.readableBytesView), role: .client) == [.text(payload)])
            // Again, the same.
            #expect(WebSocketFrame.deflate(frame, by: deflater) == deflated)
        }
        #expect(WebSocketFrame.deflate(WebSocketFrame.text(""), by: deflater) == nil)
        #expect(WebSocketFrame.deflate(WebSocketFrame.text("abc"), by: deflater) == nil)
        let noise = ByteBuffer(bytes: (0..<3000).map { _ in UInt8.random(in: 0...255) })
        #expect(WebSocketFrame.deflate(WebSocketFrame.encode(.binary, noise), by: deflater) == nil)
    }

    /// Between noise and one byte over and over; what repeats itself does so from anywhere before.
    private static func content(
        upTo limit: Int = 50_000, using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        let length = Int.random(in: 0...(Bool.random(using: &random) ? 50 : limit), using: &random)
        let letters = UInt8.random(in: 0...255, using: &random)
        var content: [UInt8] = []
        while content.count < length {
            for _ in 0..<20 { content.append(.random(in: 0...letters, using: &random)) }
            let start = Int.random(in: content.indices, using: &random)
            content += content[start...].prefix(.random(in: 0...2000, using: &random))
        }
        return Array(content.prefix(length))
    }

    /// As a peer with so small a window does it, a few bytes at a time, so that it can refer to nothing further back.
    private static func inflate(_ payload: [UInt8], windowBits: Int) -> [UInt8]? {
        var stream = z_stream()
        guard inflateInit2_(&stream, -Int32(windowBits), ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { return nil }
        defer { inflateEnd(&stream) }
        var input = payload + [0, 0, 0xFF, 0xFF]
        var result: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 64)
        return input.withUnsafeMutableBufferPointer { bytes in
            stream.next_in = bytes.baseAddress
            stream.avail_in = UInt32(bytes.count)
            while true {
                let code = room.withUnsafeMutableBufferPointer { output in
                    stream.next_out = output.baseAddress
                    stream.avail_out = UInt32(output.count)
                    return CZlib.inflate(&stream, Z_NO_FLUSH)
                }
                result += room.prefix(room.count - Int(stream.avail_out))
                if code != Z_OK && code != Z_BUF_ERROR { return nil }
                if stream.avail_out > 0 { return stream.avail_in == 0 ? result : nil }
            }
        }
    }
}
