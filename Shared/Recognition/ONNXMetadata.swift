import Glibc

/// The named texts an ONNX file carries beside its network.
enum ONNXMetadata {
    private static let metadataField: UInt64 = 14
    private static let longestEntry = 4_000_000

    /// The text under `key`, or nil when the file cannot be read or has none. Only lengths and that text are read.
    static func value(of key: String, inFile path: String) -> String? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        while let tag = varint(file) {
            guard tag & 7 == 2 else {
                // Other wire types: a number, or 8 or 4 fixed bytes.
                switch tag & 7 {
                case 0: guard varint(file) != nil else { return nil }
                case 1: guard fseek(file, 8, SEEK_CUR) == 0 else { return nil }
                case 5: guard fseek(file, 4, SEEK_CUR) == 0 else { return nil }
                default: return nil
                }
                continue
            }
            guard let length = varint(file), length < 1 << 40 else { return nil }
            guard tag >> 3 == metadataField, length <= UInt64(longestEntry) else {
                guard fseek(file, Int(length), SEEK_CUR) == 0 else { return nil }
                continue
            }
            var entry = [UInt8](repeating: 0, count: Int(length))
            guard fread(&entry, 1, entry.count, file) == entry.count else { return nil }
            if let (name, value) = pair(entry), name == key { return value }
        }
        return nil
    }

    private static func varint(_ file: UnsafeMutablePointer<FILE>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let byte = getc(file)
            guard byte >= 0 else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }

    /// The two strings of an entry: field 1 the key, field 2 the value.
    private static func pair(_ entry: [UInt8]) -> (String, String)? {
        var parts: [UInt8: String] = [:]
        var offset = 0
        while offset < entry.count {
            let tag = entry[offset]
            offset += 1
            var length = 0
            var shift = 0
            while offset < entry.count, shift < 35 {
                let byte = entry[offset]
                offset += 1
                length |= Int(byte & 0x7F) << shift
                shift += 7
                if byte & 0x80 == 0 { break }
            }
            guard tag & 7 == 2, length <= entry.count - offset else { return nil }
            parts[tag >> 3] = String(decoding: entry[offset..<(offset + length)], as: UTF8.self)
            offset += length
        }
        guard let key = parts[1], let value = parts[2] else { return nil }
        return (key, value)
    }
}
