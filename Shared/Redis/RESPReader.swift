internal import CHiredis
internal import NIOCore

/// Cuts a byte stream into replies: hiredis parses, and calls back to build Swift values with no C reply between.
///
/// Not thread-safe: it lives on one event loop. Once it has thrown it must not be used again.
final class RESPReader {
    /// The stream is no RESP2, or holds a reply beyond the limit.
    struct Violation: Error, CustomStringConvertible {
        let description: String
    }

    private let reader: UnsafeMutablePointer<redisReader>
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    /// Behind a pointer: the callbacks, some twenty for each event read, come through C, and a class's fields would be
    /// checked for exclusive access in each.
    private let builder: UnsafeMutablePointer<ReplyBuilder>
    private let maxReplyBytes: Int
    /// Bytes fed since the end of the last complete reply.
    private var openBytes = 0
    /// hiredis frees an empty buffer beyond this: what comes of a socket at once should fit, since the next is as large.
    private static let keptBuffer = 256 << 10

    /// - Parameter maxReplyBytes: The size of a reply, framing included, beyond which `next()` throws.
    init(maxReplyBytes: Int) throws(Violation) {
        self.maxReplyBytes = maxReplyBytes
        functions = .allocate(capacity: 1)
        functions.initialize(to: ReplyBuilder.functions)
        guard let reader = redisReaderCreateWithFunctions(functions) else {
            functions.deallocate()
            throw Violation(description: "no memory for a reply reader")
        }
        builder = .allocate(capacity: 1)
        builder.initialize(to: ReplyBuilder(maxElements: maxReplyBytes / 3))
        reader.pointee.privdata = UnsafeMutableRawPointer(builder)
        reader.pointee.maxbuf = Self.keptBuffer
        self.reader = reader
    }

    deinit {
        redisReaderFree(reader)
        functions.deallocate()
        builder.deinitialize(count: 1)
        builder.deallocate()
    }

    func feed(_ buffer: ByteBuffer) throws(Violation) {
        openBytes += buffer.readableBytes
        let status = buffer.withUnsafeReadableBytes { bytes in
            redisReaderFeed(reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        guard status == REDIS_OK else { throw violation() }
    }

    /// - Returns: The next complete reply, or nil when more bytes are needed.
    func next() throws(Violation) -> RESPValue? {
        var token: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &token) == REDIS_OK else { throw violation() }
        let unread = reader.pointee.len - reader.pointee.pos
        let reply = token == nil ? nil : builder.pointee.take()
        guard (reply == nil ? openBytes : openBytes - unread) <= maxReplyBytes else {
            throw Violation(description: "reply larger than the limit of \(maxReplyBytes) bytes")
        }
        if reply != nil {
            openBytes = unread
        }
        return reply
    }

    private func violation() -> Violation {
        if let violation = builder.pointee.violation { return violation }
        let text = withUnsafeBytes(of: reader.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return Violation(description: "malformed reply: \(text)")
    }
}

/// Receives hiredis' callbacks, which come in the order of the stream, and builds the value they describe.
private struct ReplyBuilder {
    private struct OpenArray {
        var elements: [RESPValue]
        var missing: Int
    }

    private let maxElements: Int
    private var open: [OpenArray] = []
    private var complete: RESPValue?
    private(set) var violation: RESPReader.Violation?
    private var words = [[UInt8]](repeating: [], count: wordSlots)

    private static let longestWord = 16
    /// A power of two.
    private static let wordSlots = 128

    init(maxElements: Int) {
        self.maxElements = maxElements
    }

    mutating func take() -> RESPValue? {
        complete.take()
    }

    /// The bytes, in shared storage when they are a word seen lately: replies are full of the same few field names.
    fileprivate mutating func text(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        guard let first = bytes.first, first >= UInt8(ascii: "A"), bytes.count <= Self.longestWord else {
            return Array(bytes)
        }
        let slot = (bytes.count &* 31 &+ Int(first) &* 7 &+ Int(bytes[bytes.count - 1])) & (Self.wordSlots - 1)
        let isKnown = words[slot].withUnsafeBytes { word in
            word.count == bytes.count && word.elementsEqual(bytes)
        }
        if !isKnown { words[slot] = Array(bytes) }
        return words[slot]
    }

    fileprivate mutating func add(_ value: RESPValue) {
        guard !open.isEmpty else {
            complete = value
            return
        }
        var value = value
        while let last = open.indices.last {
            open[last].elements.append(value)
            open[last].missing -= 1
            guard open[last].missing == 0 else { return }
            value = .array(open.removeLast().elements)
        }
        complete = value
    }

    fileprivate mutating func beginArray(count: Int) -> Bool {
        guard count <= maxElements else {
            violation = RESPReader.Violation(description: "reply of \(count) elements, more than fit into the limit")
            return false
        }
        if count == 0 {
            add(.array([]))
        } else {
            var elements: [RESPValue] = []
            // The announced count is the server's word alone, so only a little is reserved on it.
            elements.reserveCapacity(min(count, 256))
            open.append(OpenArray(elements: elements, missing: count))
        }
        return true
    }

    /// hiredis only asks whether what a callback returns is NULL (an error), so every value is the builder's address.
    private static func of(_ task: UnsafePointer<redisReadTask>?) -> UnsafeMutablePointer<ReplyBuilder>? {
        task?.pointee.privdata?.assumingMemoryBound(to: ReplyBuilder.self)
    }

    static let functions = redisReplyObjectFunctions(
        createString: { task, text, length in
            guard let builder = ReplyBuilder.of(task), let task, let text else { return nil }
            let bytes = UnsafeRawBufferPointer(start: text, count: length)
            switch task.pointee.type {
            case REDIS_REPLY_STATUS:
                builder.pointee.add(.simpleString(String(decoding: bytes, as: UTF8.self)))
            case REDIS_REPLY_ERROR:
                builder.pointee.add(.error(RedisServerError(message: String(decoding: bytes, as: UTF8.self))))
            default:
                builder.pointee.add(.bulk(builder.pointee.text(bytes)))
            }
            return UnsafeMutableRawPointer(builder)
        },
        createArray: { task, count in
            guard let builder = ReplyBuilder.of(task), builder.pointee.beginArray(count: Int(count)) else { return nil }
            return UnsafeMutableRawPointer(builder)
        },
        createInteger: { task, number in
            guard let builder = ReplyBuilder.of(task) else { return nil }
            builder.pointee.add(.integer(number))
            return UnsafeMutableRawPointer(builder)
        },
        createNil: { task in
            guard let builder = ReplyBuilder.of(task) else { return nil }
            builder.pointee.add(.null)
            return UnsafeMutableRawPointer(builder)
        },
        freeObject: { _ in }
    )
}
