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
    private var joined: ByteBuffer?
    private var children: [ObjectIdentifier: WriteChain] = [:]
    // Most often all connections take the same path.
    private var lastKey: ObjectIdentifier?
    private var lastChild: WriteChain?

    init() {
        parent = nil
        frame = nil
        count = 0
        size = 0
    }

    private init(parent: WriteChain, frame: SharedFrame) {
        self.parent = parent
        self.frame = frame
        count = parent.count + 1
        size = parent.size + frame.bytes.readableBytes
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
    var bytes: ByteBuffer {
        if let joined { return joined }
        guard count > 1 else { return frame?.bytes ?? ByteBuffer() }
        var pieces: [ByteBuffer] = []
        var link: WriteChain? = self
        var start = ByteBuffer()
        while let chain = link, chain.count > 0 {
            if let joined = chain.joined {
                start = joined
                break
            }
            if let frame = chain.frame { pieces.append(frame.bytes) }
            link = chain.parent
        }
        var bytes = ByteBuffer()
        bytes.reserveCapacity(size)
        bytes.writeImmutableBuffer(start)
        for piece in pieces.reversed() { bytes.writeImmutableBuffer(piece) }
        joined = bytes
        return bytes
    }
}

/// A frame many connections write; its identity stands for its bytes.
final class SharedFrame {
    let bytes: ByteBuffer

    init(_ bytes: ByteBuffer) {
        self.bytes = bytes
    }
}
