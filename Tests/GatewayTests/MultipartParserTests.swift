import NIOCore
import Testing

@testable import Gateway

@Suite struct MultipartParserTests {
    struct Part: Equatable {
        var name: String
        var filename: String?
        var content: [UInt8]
    }

    private static let boundary = "----form-7MA4YWxk"

    private static func body(_ parts: [Part], boundary: String = boundary) -> [UInt8] {
        var bytes: [UInt8] = []
        for part in parts {
            bytes += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(part.name)\"".utf8)
            if let filename = part.filename {
                bytes += Array("; filename=\"\(filename)\"\r\nContent-Type: image/png".utf8)
            }
            bytes += Array("\r\n\r\n".utf8) + part.content + Array("\r\n".utf8)
        }
        return bytes + Array("--\(boundary)--\r\n".utf8)
    }

    private static func parse(
        _ chunks: [[UInt8]], boundary: String = boundary, limits: MultipartParser.Limits = .init()
    ) throws -> [Part] {
        var parser = MultipartParser(boundary: try #require(MultipartBoundary(boundary)), limits: limits)
        var parts: [Part] = []
        var isOpen = false
        var hasEnded = false
        for chunk in chunks {
            parser.feed(ByteBuffer(bytes: chunk))
            while let event = try parser.next() {
                switch event {
                case .partBegan(let head):
                    #expect(!isOpen && !hasEnded)
                    isOpen = true
                    parts.append(Part(name: head.name, filename: head.filename, content: []))
                case .partData(let data):
                    #expect(isOpen && data.readableBytes > 0)
                    parts[parts.count - 1].content += Array(data.readableBytesView)
                case .partEnded:
                    #expect(isOpen)
                    isOpen = false
                case .ended:
                    #expect(!isOpen && !hasEnded)
                    hasEnded = true
                }
            }
        }
        try parser.finish()
        #expect(hasEnded)
        return parts
    }

    private static let form = [
        Part(name: "exam_id", filename: nil, content: Array("0192f".utf8)),
        Part(name: "file", filename: "扫描 1.png", content: Array("\r\n--\r\n----form-7MA4YWx\r\r\n\r\n--".utf8)),
        Part(name: "file", filename: "b.png", content: []),
        Part(name: "file", filename: "c.png", content: Array("\r\n".utf8)),
    ]

    @Test func `a form is read however it is split in two`() throws {
        let body = Self.body(Self.form)
        for position in 0...body.count {
            #expect(
                try Self.parse([Array(body[..<position]), Array(body[position...])]) == Self.form, "at \(position)")
        }
    }

    @Test func `a form is read byte by byte`() throws {
        #expect(try Self.parse(Self.body(Self.form).map { [$0] }) == Self.form)
    }

    @Test func `any content split anywhere comes out as it went in`() throws {
        var random = SplitMix(seed: 20_26)
        // Few letters, so that pieces of the delimiter appear often.
        let alphabet = Array("\r\n-ab".utf8)
        for round in 0..<500 {
            let parts = (0..<Int.random(in: 1...4, using: &random)).map { index in
                Part(
                    name: "f\(index)", filename: Bool.random(using: &random) ? "x.png" : nil,
                    content: (0..<Int.random(in: 0...60, using: &random)).map { _ in
                        alphabet.randomElement(using: &random) ?? 0
                    })
            }
            // No content of at most 60 such letters holds this boundary.
            let body = Self.body(parts, boundary: "a-bZ")
            var chunks: [[UInt8]] = []
            var rest = body[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...min(rest.count, 20), using: &random)
                chunks.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(try Self.parse(chunks, boundary: "a-bZ") == parts, "round \(round)")
        }
    }

    @Test func `a changed byte never crashes the reader nor makes it hold more than it was given`() {
        var random = SplitMix(seed: 7)
        let body = Self.body(Self.form)
        for _ in 0..<500 {
            var changed = body
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                changed[Int.random(in: changed.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let parts = try? Self.parse([changed]) else { continue }
            #expect(parts.reduce(0) { $0 + $1.content.count } <= body.count)
        }
    }

    @Test func `a body cut short anywhere is refused`() {
        let body = Self.body(Self.form)
        // The last line break may be missing.
        for count in 0..<body.count - 2 {
            #expect(throws: MultipartError.self, "\(count)") { try Self.parse([Array(body[..<count])]) }
        }
        #expect(throws: Never.self) { try Self.parse([Array(body.dropLast(2))]) }
    }

    @Test(arguments: [
        "preamble\r\n--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--",
        "\r\n--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--epilogue",
        "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--bc\r\n",
        "--b \r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--",
        "--b\nContent-Disposition: form-data; name=a\n\n1\n--b--",
        "--b\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Type: text/plain\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Disposition : form-data; name=a\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Disposition: form-data; name=a; filename*=latin-1''x\r\n\r\n1\r\n--b--",
        "--b\r\nContent-Disposition: form-data; name=a\u{0}\r\n\r\n1\r\n--b--",
    ])
    func `what the rules forbid is refused`(body: String) {
        #expect { try Self.parse([Array(body.utf8)], boundary: "b") } throws: { error in
            (error as? MultipartError)?.code == .malformed
        }
        #expect(throws: MultipartError.self) { try Self.parse(body.utf8.map { [$0] }, boundary: "b") }
    }

    @Test(arguments: [
        (#"a.png"#, "a.png"), (#"C:\\scans\\a.png"#, "a.png"), (#"C:\scans\a.png"#, "a.png"),
        ("../../etc/passwd", "passwd"), (#"say \"hi\".png"#, "say \"hi\".png"), ("say %22hi%22.png", "say \"hi\".png"),
        ("", "unnamed"), ("..", "unnamed"), ("a\u{202e}gnp.exe", "agnp.exe"), ("试卷.pdf", "试卷.pdf"),
    ])
    func `a file name is for display only`(written: String, shown: String) throws {
        let body =
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(written)\"\r\n\r\nx\r\n--b--\r\n"
        #expect(try Self.parse([Array(body.utf8)], boundary: "b").map(\.filename) == [shown])
    }

    @Test func `an extended file name goes before the plain one`() throws {
        let body = """
            --b\r
            Content-Disposition: form-data; name="file"; filename="??.png"; filename*=UTF-8''%E8%AF%95.png\r
            \r
            x\r
            --b--\r

            """
        #expect(try Self.parse([Array(body.utf8)], boundary: "b").map(\.filename) == ["试.png"])
    }

    @Test func `a long file name is cut between characters`() throws {
        let body = Self.body([Part(name: "file", filename: String(repeating: "卷", count: 200), content: [])])
        #expect(try Self.parse([body]).map { $0.filename?.utf8.count } == [255])
    }

    @Test func `headers, their number and the parts are limited`() {
        let long = "--b\r\nContent-Disposition: form-data; name=a\r\nX: \(String(repeating: "x", count: 8200))"
        let many =
            "--b\r\nContent-Disposition: form-data; name=a\r\n"
            + (0..<16).map { "X-\($0): 1\r\n" }.joined() + "\r\n1\r\n--b--"
        let parts = (0..<4).map { Part(name: "f\($0)", filename: nil, content: []) }
        for body in [Array(long.utf8), Array(many.utf8)] {
            #expect { try Self.parse([body], boundary: "b") } throws: { ($0 as? MultipartError)?.code == .tooLarge }
        }
        #expect {
            try Self.parse([Self.body(parts)], limits: .init(parts: 3))
        } throws: { ($0 as? MultipartError)?.code == .tooLarge }
        #expect(throws: Never.self) { try Self.parse([Self.body(parts)], limits: .init(parts: 4)) }
    }

    @Test(arguments: ["", "a b ", "a\u{7f}", "é", String(repeating: "a", count: 71)])
    func `a boundary the RFC forbids is refused`(text: String) {
        #expect(MultipartBoundary(text) == nil)
    }
}

/// A small random generator with a seed, so a failing round can be repeated.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
