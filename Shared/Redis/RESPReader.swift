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
    private let builder: ReplyBuilder
    private let maxReplyBytes: Int
    /// Bytes fed since the end of the last complete reply.
    private var openBytes = 0

    /// - Parameter maxReplyBytes: The size of a reply, framing included, beyond which `next()` throws.
    init(maxReplyBytes: Int) throws(Violation) {
        self.maxReplyBytes = maxReplyBytes
        builder = ReplyBuilder(maxElements: maxReplyBytes / 3)
        functions = .allocate(capacity: 1)
        functions.initialize(to: ReplyBuilder.functions)
        guard let reader = redisReaderCreateWithFunctions(functions) else {
            functions.deallocate()
            throw Violation(description: "no memory for a reply reader")
        }
        reader.pointee.privdata = Unmanaged.passUnretained(builder).toOpaque()
        self.reader = reader
    }

    deinit {
        redisReaderFree(reader)
        functions.deallocate()
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
        let reply = token == nil ? nil : builder.take()
        guard (reply == nil ? openBytes : openBytes - unread) <= maxReplyBytes else {
            throw Violation(description: "reply larger than the limit of \(maxReplyBytes) bytes")
        }
        if reply != nil {
            openBytes = unread
        }
        return reply
    }

    private func violation() -> Violation {
        if let violation = builder.violation { return violation }
        let text = withUnsafeBytes(of: reader.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return Violation(description: "malformed reply: \(text)")
    }
}

/// Receives hiredis' callbacks, which come in the order of the stream, and builds the value they describe.
private final class ReplyBuilder {
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

    func take() -> RESPValue? {
        complete.take()
    }

    /// The bytes, in shared storage when they are a word seen lately: replies are full of the same few field names.
    fileprivate func text(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
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

    fileprivate func add(_ value: RESPValue) {
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

    fileprivate func beginArray(count: Int) -> Bool {
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

    /// hiredis only asks whether what a callback returns is NULL (an error), so every value is this one token.
    private static func token(_ builder: ReplyBuilder) -> UnsafeMutableRawPointer {
        Unmanaged.passUnretained(builder).toOpaque()
    }

    private static func of(_ task: UnsafePointer<redisReadTask>?) -> ReplyBuilder? {
        guard let pointer = task?.pointee.privdata else { return nil }
        return Unmanaged<ReplyBuilder>.fromOpaque(pointer).takeUnretainedValue()
    }

    static let functions = redisReplyObjectFunctions(
        createString: { task, text, length in
            guard let builder = ReplyBuilder.of(task), let task, let text else { return nil }
            let bytes = UnsafeRawBufferPointer(start: text, count: length)
            switch task.pointee.type {
            case REDIS_REPLY_STATUS:
                builder.add(.simpleString(String(decoding: bytes, as: UTF8.self)))
            case REDIS_REPLY_ERROR:
                builder.add(.error(RedisServerError(message: String(decoding: bytes, as: UTF8.self))))
            default:
                builder.add(.bulk(builder.text(bytes)))
            }
            return ReplyBuilder.token(builder)
        },
        createArray: { task, count in
            guard let builder = ReplyBuilder.of(task), builder.beginArray(count: Int(count)) else { return nil }
            return ReplyBuilder.token(builder)
        },
        createInteger: { task, number in
            guard let builder = ReplyBuilder.of(task) else { return nil }
            builder.add(.integer(number))
            return ReplyBuilder.token(builder)
        },
        createNil: { task in
            guard let builder = ReplyBuilder.of(task) else { return nil }
            builder.add(.null)
            return ReplyBuilder.token(builder)
        },
        freeObject: { _ in }
    )
}
