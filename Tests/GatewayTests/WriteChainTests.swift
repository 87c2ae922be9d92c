import NIOCore
import Testing
import WebSocket

@testable import Gateway

@Suite struct WriteChainTests {
    private func messages(_ bytes: ByteBuffer) throws -> [WebSocketParser.Event] {
        var parser = WebSocketParser(role: .client, maxMessageBytes: 1 << 20, allowsDeflate: true)
        var input = bytes
        var events: [WebSocketParser.Event] = []
        while let event = try parser.next(&input) { events.append(event) }
        return events
    }

    @Test func `whatever path connections take, each kind of them gets its messages in order, compressed once`() throws
    {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            let deflater = FrameDeflater(minBytes: 100)
            let texts = (0..<6).map { index in
                ByteBuffer(string: String(repeating: "\(index) ", count: .random(in: 1...400, using: &random)))
            }
            let frames = texts.map { SharedFrame(WebSocketFrame.encode(.text, $0)) }
            let root = WriteChain()
            for _ in 0..<10 {
                let path = texts.indices.filter { _ in Bool.random(using: &random) }
                let chain = path.reduce(root) { $0.followed(by: frames[$1]) }
                for isDeflated in [true, false].shuffled(using: &random) {
                    let bytes = chain.bytes(by: isDeflated ? deflater : nil)
                    #expect(try messages(bytes) == path.map { .text(texts[$0]) })
                    #expect(isDeflated || bytes.readableBytes == chain.size)
                    #expect(bytes.readableBytes <= chain.size)
                    #expect(chain.bytes(by: isDeflated ? deflater : nil) == bytes)
                }
                #expect(chain.count == path.count)
                #expect(chain.largest == path.map { frames[$0].bytes.readableBytes }.max() ?? 0)
            }
            #expect(deflater.count <= frames.count { $0.bytes.readableBytes >= 100 })
        }
    }

    @Test func `a small frame is not compressed, nor is one that would be no smaller kept so`() throws {
        let deflater = FrameDeflater(minBytes: 100)
        let small = WebSocketFrame.text(String(repeating: "a", count: 97))
        #expect(deflater.deflate(small) == small)
        #expect(deflater.count == 0)
        let noise = WebSocketFrame.encode(.binary, ByteBuffer(bytes: (0..<500).map { _ in UInt8.random(in: 0...255) }))
        #expect(deflater.deflate(noise) == noise)
        #expect(deflater.count == 1)
    }
}
