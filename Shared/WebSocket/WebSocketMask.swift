/// The key a client's payload is combined with.
struct WebSocketMask: Equatable, Sendable {
    /// The key's bytes in the order of the wire, the first lowest.
    var key: UInt32

    static func random() -> WebSocketMask {
        WebSocketMask(key: .random(in: .min ... .max))
    }

    /// Masks or unmasks, which is the same.
    /// - Parameter offset: of the first byte within the frame's payload.
    func apply(to bytes: UnsafeMutableRawBufferPointer, offset: Int) {
        guard key != 0 else { return }
        let shift = UInt32(offset & 3) * 8
        // For the byte at `offset` to meet its own part of the key.
        let turned = shift == 0 ? key : (key >> shift) | (key << (32 - shift))
        let wide = UInt64(turned) << 32 | UInt64(turned)
        var index = 0
        while index + 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            bytes.storeBytes(of: (word ^ wide).littleEndian, toByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < bytes.count {
            bytes[index] ^= UInt8(truncatingIfNeeded: turned >> (UInt32(index & 3) * 8))
            index += 1
        }
    }
}
