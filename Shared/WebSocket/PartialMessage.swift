internal import NIOCore

/// A message of which frames are still to come.
struct PartialMessage {
    let isText: Bool
    let isCompressed: Bool
    private var content: ByteBuffer?
    private var utf8 = UTF8Validation()

    init(isText: Bool, isCompressed: Bool) {
        self.isText = isText
        self.isCompressed = isCompressed
    }

    /// Bytes that may still come.
    func room(limit: Int) -> Int {
        let limit = isCompressed ? MessageInflater.maxCompressedBytes(limit: limit) : limit
        return max(0, limit - (content?.readableBytes ?? 0))
    }

    mutating func append(_ piece: ByteBuffer) throws(WebSocketError) {
        if isText, !isCompressed { try Self.check(piece, &utf8) }
        content.append(piece)
    }

    /// The message, now that all of it is here.
    func event(limit: Int) throws(WebSocketError) -> WebSocketParser.Event {
        var content = content ?? ByteBuffer()
        var utf8 = utf8
        if isCompressed {
            content = try MessageInflater.inflate(content, limit: limit)
            if isText { try Self.check(content, &utf8) }
        }
        guard isText else { return .binary(content) }
        guard utf8.isComplete else { throw WebSocketError(.invalidPayload, "the text ends within a character") }
        return .text(content)
    }

    private static func check(_ piece: ByteBuffer, _ utf8: inout UTF8Validation) throws(WebSocketError) {
        guard piece.withUnsafeReadableBytes({ bytes in utf8.accept(bytes) }) else {
            throw WebSocketError(.invalidPayload, "the text is not UTF-8")
        }
    }
}

extension ByteBuffer? {
    /// The first piece is kept as it is, without a copy.
    mutating func append(_ piece: ByteBuffer) {
        if self == nil {
            self = piece
        } else {
            self?.writeImmutableBuffer(piece)
        }
    }
}
