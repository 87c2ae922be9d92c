import NIOCore
import Testing
import WebSocket

@testable import Gateway

/// Rounds of writing against the plainest there is, a list of frames for each connection.
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

    @Test(arguments: 0..<100)
    func `each connection writes its frames in their order, however they are shared`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let frames = (0..<8).map { number in
            SharedFrame(ByteBuffer(string: String(repeating: "\(number)", count: number * 3)))
        }
        for _ in 0..<5 {
            let root = WriteChain()
            var chains = [WriteChain](repeating: root, count: 12)
            var written = [[SharedFrame]](repeating: [], count: chains.count)
            for _ in 0..<60 {
                let frame = frames[Int.random(in: 0..<frames.count, using: &random)]
                // Most events go to many connections, each of which may have had others before.
                let share = Int.random(in: 1...chains.count, using: &random)
                for connection in chains.indices.shuffled(using: &random).prefix(share) {
                    chains[connection] = chains[connection].followed(by: frame)
                    written[connection].append(frame)
                }
                // What is written early must not spoil what follows it.
                if Int.random(in: 0..<8, using: &random) == 0 {
                    _ = chains.randomElement(using: &random)?.bytes(by: nil)
                }
            }
            for (chain, frames) in zip(chains, written) {
                var expected = ByteBuffer()
                for frame in frames { expected.writeImmutableBuffer(frame.bytes) }
                #expect(chain.bytes(by: nil) == expected)
                #expect(chain.bytes(by: nil) == expected, "a second time")
                #expect(chain.count == frames.count)
                #expect(chain.size == expected.readableBytes)
            }
            withExtendedLifetime(root) {}
        }
    }

    @Test func `connections with the same frames in the same order share one chain, others do not`() {
        let (a, b) = (SharedFrame(ByteBuffer(string: "a")), SharedFrame(ByteBuffer(string: "b")))
        let root = WriteChain()
        #expect(root.followed(by: a).followed(by: b) === root.followed(by: a).followed(by: b))
        #expect(root.followed(by: a).followed(by: b) !== root.followed(by: b).followed(by: a))
        #expect(root.bytes(by: nil) == ByteBuffer())
    }
}
