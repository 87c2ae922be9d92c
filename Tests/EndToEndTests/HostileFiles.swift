/// Files that cost their reader far more than their sender.
enum HostileFiles {
    /// A PNG of black, grey or (`isDeep`) 16-bit RGBA pixels.
    static func png(width: Int, height: Int, isDeep: Bool = false) -> [UInt8] {
        let header = big(width) + big(height) + (isDeep ? [16, 6, 0, 0, 0] : [8, 0, 0, 0, 0])
        // A byte for the filter of each row.
        let bytes = (1 + width * (isDeep ? 8 : 1)) * height
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            + chunk("IHDR", header) + chunk("IDAT", DeflatedZeros.zlib(unpackedBytes: bytes)) + chunk("IEND", [])
    }

    /// A PNG that says it is larger than it is.
    static func png(claiming width: Int, _ height: Int) -> [UInt8] {
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            + chunk("IHDR", big(width) + big(height) + [8, 0, 0, 0, 0])
            + chunk("IDAT", DeflatedZeros.zlib(unpackedBytes: 100)) + chunk("IEND", [])
    }

    /// A ZIP with one entry of zeros.
    static func zip(unpackedBytes: Int) -> [UInt8] {
        let packed = DeflatedZeros.stream(unpackedBytes: unpackedBytes)
        let name = Array("scan.tif".utf8)
        // Version, flags, method, time, date, no checksum, sizes, length of the name, no extra field.
        let entry =
            little(20, 2) + little(0, 2) + little(8, 2) + little(0, 4) + little(0, 4) + little(packed.count, 4)
            + little(unpackedBytes, 4) + little(name.count, 2) + little(0, 2)
        let local = [0x50, 0x4B, 3, 4] + entry + name + packed
        let directory = [0x50, 0x4B, 1, 2] + little(20, 2) + entry + little(0, 14) + name
        let end =
            [0x50, 0x4B, 5, 6] + little(0, 4) + little(1, 2) + little(1, 2) + little(directory.count, 4)
            + little(local.count, 4) + little(0, 2)
        return local + directory + end
    }

    /// `image` with an order to the reader of these tests at its end, where real readers see nothing.
    static func order(_ word: String, in image: [UInt8]) -> [UInt8] {
        image + Array("order:\(word)".utf8)
    }

    // MARK: Parts

    private static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(name.utf8) + data
        return big(data.count) + body + big(Int(crc32(body)))
    }

    private static func big(_ number: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(number).bigEndian, Array.init)
    }

    private static func little(_ number: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { $0 < 8 ? UInt8(truncatingIfNeeded: number >> ($0 * 8)) : 0 }
    }

    private static let crcTable: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var sum = ~UInt32(0)
        for byte in bytes { sum = sum >> 8 ^ crcTable[Int((sum ^ UInt32(byte)) & 0xFF)] }
        return ~sum
    }
}
