internal import Domain

/// How messages travel: four bytes of length, most significant first, then that much JSON.
enum Frame {
    /// Longest JSON either side takes, in bytes.
    static let limit = 16 << 20

    /// More than any message needs: the sender has lost its mind, or never was our peer.
    struct TooLong: Error {}

    static func encode(_ message: some Encodable) throws -> [UInt8] {
        let json = try JSON.encode(message)
        guard json.count <= limit else { throw TooLong() }
        return withUnsafeBytes(of: UInt32(json.count).bigEndian, Array.init) + json
    }

    /// The length in a frame's first four bytes.
    static func length(_ prefix: [UInt8]) throws(TooLong) -> Int {
        let length = prefix.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard prefix.count == 4, length > 0, length <= limit else { throw TooLong() }
        return length
    }
}
