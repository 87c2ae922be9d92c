/// Zeros packed as tightly as a fixed deflate code allows, 158 to one: what decompression bombs are made of.
enum DeflatedZeros {
    /// A raw deflate stream.
    static func stream(unpackedBytes count: Int) -> [UInt8] {
        var bits = BitWriter()
        bits.put(0b011, 3)  // The last block, with the fixed code.
        for _ in 0..<(count > 0 ? 1 + (count - 1) % 258 : 0) { bits.put(0x0C, 8) }  // A zero.
        for _ in 0..<(count > 0 ? (count - 1) / 258 : 0) { bits.put(0xA3, 13) }  // 258 times the byte before.
        bits.put(0, 7)  // The end.
        return bits.finish()
    }

    /// The same as a zlib stream.
    static func zlib(unpackedBytes count: Int) -> [UInt8] {
        // Adler-32 of zeros: the first sum stays 1, the second counts.
        let second = UInt32(count % 65_521)
        return [0x78, 0x9C] + stream(unpackedBytes: count)
            + withUnsafeBytes(of: (second << 16 | 1).bigEndian, Array.init)
    }

    private struct BitWriter {
        private var bytes: [UInt8] = []
        private var buffer: UInt64 = 0
        private var held = 0

        mutating func put(_ value: UInt64, _ count: Int) {
            buffer |= value << UInt64(held)
            held += count
            while held >= 8 {
                bytes.append(UInt8(truncatingIfNeeded: buffer))
                buffer >>= 8
                held -= 8
            }
        }

        consuming func finish() -> [UInt8] {
            if held > 0 { bytes.append(UInt8(truncatingIfNeeded: buffer)) }
            return bytes
        }
    }
}
