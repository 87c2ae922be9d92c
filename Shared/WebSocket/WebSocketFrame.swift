package import NIOCore

/// Frames as bytes. A server encodes a message once and writes the same bytes to every connection.
package enum WebSocketFrame {
    /// An unfragmented frame of a server.
    /// - Parameter isCompressed: whether `payload` is what a `MessageDeflater` gave.
    package static func encode(
        _ opcode: WebSocketOpcode, _ payload: ByteBuffer, isCompressed: Bool = false
    ) -> ByteBuffer {
        var frame = ByteBuffer()
        frame.reserveCapacity(payload.readableBytes + 10)
        appendHeader(opcode, isCompressed, length: payload.readableBytes, maskBit: 0, to: &frame)
        frame.writeImmutableBuffer(payload)
        return frame
    }

    package static func text(_ text: some StringProtocol) -> ByteBuffer {
        encode(.text, ByteBuffer(substring: Substring(text)))
    }

    /// An unfragmented frame of a client, under a key of chance.
    package static func masked(
        _ opcode: WebSocketOpcode, _ payload: ByteBuffer, isCompressed: Bool = false
    ) -> ByteBuffer {
        var frame = ByteBuffer()
        frame.reserveCapacity(payload.readableBytes + 14)
        appendHeader(opcode, isCompressed, length: payload.readableBytes, maskBit: 0x80, to: &frame)
        let mask = WebSocketMask.random()
        frame.writeInteger(mask.key, endianness: .little)
        let start = frame.readableBytes
        frame.writeImmutableBuffer(payload)
        frame.withUnsafeMutableReadableBytes { bytes in
            mask.apply(to: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]), offset: 0)
        }
        return frame
    }

    /// The same message compressed.
    /// - Parameter frame: what `encode` gave.
    /// - Returns: nil when it would be no smaller.
    package static func deflate(_ frame: ByteBuffer, by deflater: MessageDeflater) -> ByteBuffer? {
        let index = frame.readerIndex
        guard let first = frame.getInteger(at: index, as: UInt8.self),
            let opcode = WebSocketOpcode(rawValue: first & 0x0F),
            let length = frame.getInteger(at: index + 1, as: UInt8.self)
        else { return nil }
        var payload = frame
        payload.moveReaderIndex(forwardBy: length < 126 ? 2 : length == 126 ? 4 : 10)
        return deflater.deflate(payload).map { encode(opcode, $0, isCompressed: true) }
    }

    /// - Parameter reason: cut to what a control frame can hold.
    package static func closePayload(_ code: WebSocketCloseCode, _ reason: String) -> ByteBuffer {
        var payload = ByteBuffer()
        guard code != .noStatus else { return payload }
        payload.writeInteger(code.rawValue)
        var text = Substring(reason)
        while text.utf8.count > 123 { text.removeLast() }
        payload.writeSubstring(text)
        return payload
    }

    private static func appendHeader(
        _ opcode: WebSocketOpcode, _ isCompressed: Bool, length: Int, maskBit: UInt8, to frame: inout ByteBuffer
    ) {
        frame.writeInteger(0x80 | (isCompressed ? 0x40 : 0) | opcode.rawValue)
        switch length {
        case ..<126: frame.writeInteger(maskBit | UInt8(length))
        case ..<65_536:
            frame.writeInteger(maskBit | 126)
            frame.writeInteger(UInt16(length))
        default:
            frame.writeInteger(maskBit | 127)
            frame.writeInteger(UInt64(length))
        }
    }
}
