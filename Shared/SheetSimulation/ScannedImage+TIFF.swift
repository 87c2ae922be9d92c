extension ScannedImage {
    /// An uncompressed baseline TIFF, little-endian, in one strip.
    func tiff() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(pixels.count + 256)
        func append16(_ value: Int) { bytes += [UInt8(value & 255), UInt8(value >> 8 & 255)] }
        func append32(_ value: Int) {
            append16(value & 0xFFFF)
            append16(value >> 16)
        }
        let bits = [8, 8, 8]
        let entries = 12
        let directory = 8
        let extra = directory + 2 + entries * 12 + 4
        let resolution = extra + 8
        let strip = resolution + 8

        bytes += Array("II".utf8)
        append16(42)
        append32(directory)
        append16(entries)
        let short = 3
        let long = 4
        let rational = 5
        func entry(_ tag: Int, _ type: Int, _ count: Int, _ value: Int) {
            append16(tag)
            append16(type)
            append32(count)
            append32(value)
        }
        entry(256, long, 1, width)
        entry(257, long, 1, height)
        entry(258, short, channels, channels == 1 ? 8 : extra)
        entry(259, short, 1, 1)  // Not compressed.
        entry(262, short, 1, channels == 1 ? 1 : 2)  // Black is zero, or RGB.
        entry(273, long, 1, strip)
        entry(277, short, 1, channels)
        entry(278, long, 1, height)
        entry(279, long, 1, pixels.count)
        entry(282, rational, 1, resolution)
        entry(283, rational, 1, resolution)
        entry(296, short, 1, 2)  // Inches.
        append32(0)
        for bit in bits { append16(bit) }
        append16(0)
        append32(Int(dpi.rounded()))
        append32(1)
        bytes += pixels
        return bytes
    }
}
