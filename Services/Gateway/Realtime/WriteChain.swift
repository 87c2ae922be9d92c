import NIOCore

/// The frames of one round of writing, shared by the connections that get the same ones in the same order: a tree whose
/// paths from the root are such orders. However many connections take a path, its bytes are put together once, and each
/// connection writes them in one piece. Whoever writes keeps the root for so long.
final class WriteChain {
    private unowned let parent: WriteChain?
    private let frame: SharedFrame?
    /// How many frames, and bytes, from the root to here.
    let count: Int
    let size: Int
    /// Bytes of the largest frame among them.
    let largest: Int
    private var joined: ByteBuffer?
    private var joinedDeflated: ByteBuffer?
    private var children: [ObjectIdentifier: WriteChain] = [:]
    // Most often all connections take the same path.
    private var lastKey: ObjectIdentifier?
    private var lastChild: WriteChain?

    init() {
        parent = nil
        frame = nil
        count = 0
        size = 0
        largest = 0
    }

    private init(parent: WriteChain, frame: SharedFrame) {
        self.parent = parent
        self.frame = frame
        count = parent.count + 1
        size = parent.size + frame.bytes.readableBytes
        largest = max(parent.largest, frame.bytes.readableBytes)
    }

    func followed(by frame: SharedFrame) -> WriteChain {
        let key = ObjectIdentifier(frame)
        if key == lastKey, let lastChild { return lastChild }
        let child = children[key] ?? WriteChain(parent: self, frame: frame)
        children[key] = child
        (lastKey, lastChild) = (key, child)
        return child
    }

    /// All frames from the root to here.
    /// - Parameter deflater: nil for the frames as they are.
    func bytes(by deflater: FrameDeflater?) -> ByteBuffer {
        if let known = joined(deflater) { return known }
        guard count > 1 else { return frame?.bytes(by: deflater) ?? ByteBuffer() }
        var pieces: [ByteBuffer] = []
        var link: WriteChain? = self
        while let chain = link, chain.count > 0 {
            if let joined = chain.joined(deflater) {
                pieces.append(joined)
                break
            }
            if let frame = chain.frame { pieces.append(frame.bytes(by: deflater)) }
            link = chain.parent
        }
        var bytes = ByteBuffer()
        bytes.reserveCapacity(pieces.reduce(0) { $0 + $1.readableBytes })
        for piece in pieces.reversed() { bytes.writeImmutableBuffer(piece) }
        if deflater == nil { joined = bytes } else { joinedDeflated = bytes }
        return bytes
    }

    private func joined(_ deflater: FrameDeflater?) -> ByteBuffer? {
        deflater == nil ? joined : joinedDeflated
    }
}

/// A frame many connections write; its identity stands for its bytes.
final class SharedFrame {
    let bytes: ByteBuffer
    private var deflated: ByteBuffer?

    init(_ bytes: ByteBuffer) {
        self.bytes = bytes
    }

    /// - Parameter deflater: nil for the frame as it is; else always the same one.
    func bytes(by deflater: FrameDeflater?) -> ByteBuffer {
        guard let deflater else { return bytes }
        if let deflated { return deflated }
        let made = deflater.deflate(bytes)
        deflated = made
        return made
    }
}
