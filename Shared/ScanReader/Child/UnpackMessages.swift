/// What `scan-unpacker` may unpack of an archive, which it has as standard input. Its only argument, as JSON.
package struct UnpackLimits: Codable, Equatable, Sendable {
    package var maxEntries: Int
    /// Of all entries, unpacked, in bytes.
    package var maxBytes: Int
    /// Of one entry, unpacked, in bytes.
    package var maxEntryBytes: Int
    /// Unpacked to packed bytes of the whole archive; counts only beyond `ratioFreeBytes`.
    package var maxRatio: Int
    package var ratioFreeBytes: Int
}

/// What `scan-unpacker` tells, in this order: for each entry either a refusal, or its name, its content in pieces and its
/// end; then that all is told. Or that the archive as a whole is not taken, which is the last word.
package enum UnpackMessage: Codable, Equatable, Sendable {
    case refused(name: String, IntakeFailure)
    case begun(name: String)
    /// So many bytes of the entry follow the message.
    case piece(bytes: Int)
    /// With the reason when what came is not all or not right.
    case ended(IntakeFailure?)
    case failed(IntakeFailure)
    case done

    /// Longest piece, in bytes.
    package static let maxPieceBytes = 1 << 20

    /// As it travels.
    package func encoded() throws -> [UInt8] {
        try Frame.encode(self)
    }
}
