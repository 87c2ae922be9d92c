/// A ZIP whose entries are stored as they are.
struct BoundZIP: Sendable {
    private var bytes: [UInt8] = []
    private var directory: [UInt8] = []
    private var count = 0

    mutating func append(_ content: [UInt8], name: String) {
        let name = Array(name.utf8)
        // Version, names in UTF-8, stored, 1 January 2026, checksum, sizes, length of the name, no extra field.
        let entry =
            little(20, 2) + little(0x800, 2) + little(0, 4) + little(0x5C21, 2) + little(Int(CRC32.of(content)), 4)
            + little(content.count, 4) + little(content.count, 4) + little(name.count, 2) + little(0, 2)
        directory += [0x50, 0x4B, 1, 2] + little(20, 2) + entry + little(0, 10) + little(bytes.count, 4) + name
        bytes += [0x50, 0x4B, 3, 4] + entry + name
        bytes += content
        count += 1
    }

    func finish() -> [UInt8] {
        bytes + directory + [0x50, 0x4B, 5, 6] + little(0, 4) + little(count, 2) + little(count, 2)
            + little(directory.count, 4) + little(bytes.count, 4) + little(0, 2)
    }

    private func little(_ number: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
}

/// The checksum of ZIP and PNG.
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
    }

    static func of(_ bytes: [UInt8]) -> UInt32 {
        var sum = ~UInt32(0)
        for byte in bytes { sum = sum >> 8 ^ table[Int((sum ^ UInt32(byte)) & 0xFF)] }
        return ~sum
    }
}
