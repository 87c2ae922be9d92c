internal import CZstd

/// Whole buffers through libzstd.
enum Zstd {
    /// The fastest of the usual levels: events are written once, by whoever is waiting for it.
    private static let level: Int32 = 1

    /// - Returns: a frame that tells its content's size; nil when that is not smaller than `bytes`.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        let bound = ZSTD_compressBound(bytes.count)
        let frame = [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            let size = bytes.withUnsafeBytes { source in
                ZSTD_compress(buffer.baseAddress, bound, source.baseAddress, source.count, level)
            }
            count = ZSTD_isError(size) == 0 ? size : 0
        }
        return frame.isEmpty || frame.count >= bytes.count ? nil : frame
    }

    /// - Parameter limit: Bytes of the content; a frame that says or holds more is refused before memory is taken.
    /// - Throws: `EventBusError` of code `.malformedEntry`.
    static func decompress(_ frame: [UInt8], limit: Int) throws(EventBusError) -> [UInt8] {
        let size = frame.withUnsafeBytes { ZSTD_getFrameContentSize($0.baseAddress, $0.count) }
        // The values for "unknown" and "no frame" are the greatest of the type.
        guard size <= UInt64(limit) else {
            throw EventBusError(.malformedEntry, "Compressed data is no frame, or larger than \(limit) bytes")
        }
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            let written = frame.withUnsafeBytes { source in
                ZSTD_decompress(buffer.baseAddress, Int(size), source.baseAddress, source.count)
            }
            count = ZSTD_isError(written) == 0 ? written : 0
        }
        guard bytes.count == Int(size) else {
            throw EventBusError(.malformedEntry, "Compressed data is damaged")
        }
        return bytes
    }
}
