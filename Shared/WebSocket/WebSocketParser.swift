package import NIOCore

/// Turns the bytes of a peer into messages, and refuses whatever RFC 6455 does not allow. Pure: it does no input or
/// output. Holds memory only while a message is incomplete, and no more than the greatest message.
package struct WebSocketParser {
    package enum Event: Equatable, Sendable {
        /// Valid UTF-8, all fragments together.
        case text(ByteBuffer)
        case binary(ByteBuffer)
        case ping(ByteBuffer)
        case pong(ByteBuffer)
        /// `.noStatus` when the peer gave no code.
        case close(WebSocketCloseCode, reason: String)
    }

    private enum Step {
        case start
        case length
        /// Bytes of an extended length, or of the key, that are to come.
        case extendedLength(left: UInt8)
        case key(left: UInt8)
        case payload
    }

    private let role: WebSocketRole
    private let maxMessageBytes: Int
    /// Whether messages may be compressed.
    private let allowsDeflate: Bool

    // The frame under way.
    private var step = Step.start
    private var opcode = WebSocketOpcode.continuation
    private var isFinal = false
    private var length: UInt64 = 0
    private var mask = WebSocketMask(key: 0)
    /// Bytes of the payload that have come.
    private var received = 0
    private var control: ByteBuffer?

    // The message under way; frames of control come in between.
    private var message: PartialMessage?

    /// - Parameters:
    ///   - maxMessageBytes: of all fragments of a message together; of a compressed message, of what is in it.
    ///   - allowsDeflate: whether compressing messages was agreed on.
    package init(role: WebSocketRole, maxMessageBytes: Int, allowsDeflate: Bool = false) {
        self.role = role
        self.maxMessageBytes = maxMessageBytes
        self.allowsDeflate = allowsDeflate
    }

    /// Takes bytes off the front of `input` until something is complete.
    ///
    /// - Returns: nil when all of `input` is taken and more is needed.
    /// - Throws: what the connection is to be closed for; the parser is of no use afterwards.
    package mutating func next(_ input: inout ByteBuffer) throws(WebSocketError) -> Event? {
        while true {
            if case .payload = step {
                if let event = try takePayload(&input) { return event }
                if case .payload = step { return nil }
            } else {
                guard let byte = input.readInteger(as: UInt8.self) else { return nil }
                try takeHeader(byte)
            }
        }
    }

    // MARK: Header

    private mutating func takeHeader(_ byte: UInt8) throws(WebSocketError) {
        switch step {
        case .start: try begin(byte)
        case .length: try takeLength(byte)
        case .extendedLength(let left):
            length = length << 8 | UInt64(byte)
            if left > 1 {
                step = .extendedLength(left: left - 1)
            } else {
                try checkExtendedLength()
                try finishLength()
            }
        case .key(let left):
            mask.key |= UInt32(byte) << (UInt32(4 - left) * 8)
            step = left > 1 ? .key(left: left - 1) : .payload
        case .payload: break
        }
    }

    private mutating func begin(_ byte: UInt8) throws(WebSocketError) {
        guard let opcode = WebSocketOpcode(rawValue: byte & 0x0F) else {
            throw WebSocketError(.protocolError, "the opcode is reserved")
        }
        isFinal = byte & 0x80 != 0
        let isCompressed = byte & 0x40 != 0
        // A message is marked by its first frame; the other bits belong to extensions that are never agreed on.
        guard byte & 0x30 == 0, !isCompressed || (allowsDeflate && (opcode == .text || opcode == .binary)) else {
            throw WebSocketError(.protocolError, "a reserved bit is set")
        }
        switch opcode {
        case .continuation:
            guard message != nil else {
                throw WebSocketError(.protocolError, "there is nothing to continue")
            }
        case .text, .binary:
            guard message == nil else {
                throw WebSocketError(.protocolError, "a message begins within another")
            }
            message = PartialMessage(isText: opcode == .text, isCompressed: isCompressed)
        case .close, .ping, .pong:
            guard isFinal else { throw WebSocketError(.protocolError, "a control frame is fragmented") }
        }
        self.opcode = opcode
        step = .length
    }

    private mutating func takeLength(_ byte: UInt8) throws(WebSocketError) {
        guard (byte & 0x80 != 0) == (role == .server) else {
            throw WebSocketError(
                .protocolError, role == .server ? "a client's frames are to be masked" : "a server's frame is masked")
        }
        length = UInt64(byte & 0x7F)
        if opcode.isControl, length > 125 { throw WebSocketError(.protocolError, "a control frame is too long") }
        switch length {
        case 126: step = .extendedLength(left: 2)
        case 127: step = .extendedLength(left: 8)
        default: return try finishLength()
        }
        extendedBytes = length == 126 ? 2 : 8
        length = 0
    }

    /// Of the length being read.
    private var extendedBytes: UInt8 = 0

    private func checkExtendedLength() throws(WebSocketError) {
        guard extendedBytes == 2 ? length >= 126 : length >= 65_536 && length <= UInt64(Int64.max) else {
            throw WebSocketError(.protocolError, "the length is not written in its shortest form")
        }
    }

    private mutating func finishLength() throws(WebSocketError) {
        if !opcode.isControl, let message, length > UInt64(message.room(limit: maxMessageBytes)) {
            throw WebSocketError(.messageTooBig, "the message is too large")
        }
        received = 0
        mask.key = 0
        step = role == .server ? .key(left: 4) : .payload
    }

    // MARK: Payload

    private mutating func takePayload(_ input: inout ByteBuffer) throws(WebSocketError) -> Event? {
        let count = min(Int(length) - received, input.readableBytes)
        guard var piece = input.readSlice(length: count) else { return nil }
        if count > 0 {
            let (mask, offset) = (mask, received)
            if mask.key != 0 {
                piece.withUnsafeMutableReadableBytes { bytes in mask.apply(to: bytes, offset: offset) }
            }
            received += count
            if opcode.isControl {
                control.append(piece)
            } else {
                try message?.append(piece)
            }
        }
        guard received == Int(length) else { return nil }
        step = .start
        if opcode.isControl {
            defer { control = nil }
            return try controlEvent(control ?? ByteBuffer())
        }
        guard isFinal, let message else { return nil }
        self.message = nil
        return try message.event(limit: maxMessageBytes)
    }

    private func controlEvent(_ content: ByteBuffer) throws(WebSocketError) -> Event {
        switch opcode {
        case .ping: return .ping(content)
        case .pong: return .pong(content)
        default:
            var content = content
            if content.readableBytes == 0 { return .close(.noStatus, reason: "") }
            guard let code = content.readInteger(as: UInt16.self).map(WebSocketCloseCode.init(rawValue:)),
                code.isValidOnTheWire
            else { throw WebSocketError(.protocolError, "the close code is not valid") }
            var utf8 = UTF8Validation()
            guard content.withUnsafeReadableBytes({ bytes in utf8.accept(bytes) }), utf8.isComplete else {
                throw WebSocketError(.invalidPayload, "the close reason is not UTF-8")
            }
            return .close(code, reason: String(buffer: content))
        }
    }
}
