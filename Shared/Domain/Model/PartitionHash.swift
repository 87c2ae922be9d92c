/// CRC-16/XMODEM (polynomial 0x1021, initial value 0), the hash Redis Cluster uses for its slots.
package enum PartitionHash {
    private static let table: [UInt16] = (0..<256).map { index in
        var value = UInt16(index) << 8
        for _ in 0..<8 {
            value = value & 0x8000 != 0 ? (value << 1) ^ 0x1021 : value << 1
        }
        return value
    }

    package static func crc16(_ text: String) -> UInt16 {
        text.utf8.reduce(0) { checksum, byte in
            (checksum << 8) ^ table[Int((checksum >> 8) ^ UInt16(byte))]
        }
    }

    /// - Returns: a partition in `0..<count`; `count` is at least 1.
    package static func partition(of key: String, count: Int) -> Int {
        Int(crc16(key)) % count
    }
}
