internal import CZip
internal import Glibc

/// The entries of a ZIP file, listed, and unpacked piece by piece.
final class ZipArchive {
    struct Entry {
        var index: UInt64
        /// As UTF-8, whatever the archive's encoding was; control characters replaced.
        var name: String
        /// As the archive claims; unpacking stops there.
        var bytes: Int
        var isDirectory: Bool
        /// A symbolic link, a device or the like, as Unix writes them.
        var isSpecial: Bool
        var isEncrypted: Bool
    }

    struct Failure: Error {
        var message: String
    }

    private let archive: OpaquePointer

    /// - Parameter descriptor: of the file; stays open.
    init(descriptor: Int32) throws(Failure) {
        var code: Int32 = 0
        guard let archive = zip_fdopen(descriptor, Int32(ZIP_RDONLY), &code) else {
            var error = zip_error_t()
            zip_error_init_with_code(&error, code)
            defer { zip_error_fini(&error) }
            throw Failure(message: String(cString: zip_error_strerror(&error)))
        }
        self.archive = archive
    }

    deinit { zip_discard(archive) }

    var count: Int { Int(zip_get_num_entries(archive, 0)) }

    func entries() throws(Failure) -> [Entry] {
        var entries: [Entry] = []
        for index in 0..<UInt64(count) {
            var status = zip_stat_t()
            guard zip_stat_index(archive, index, UInt32(ZIP_FL_ENC_RAW), &status) == 0,
                let rawName = zip_get_name(archive, index, UInt32(ZIP_FL_ENC_RAW))
            else { throw failure() }
            let name = ZipEntryName.decode([UInt8](UnsafeRawBufferPointer(start: rawName, count: strlen(rawName))))
            // Sizes that are not told, or not told sensibly, are as bad as the largest.
            let known = status.valid & UInt64(ZIP_STAT_SIZE) != 0
            entries.append(
                Entry(
                    index: index, name: name, bytes: known ? Int(clamping: status.size) : .max,
                    isDirectory: name.hasSuffix("/"), isSpecial: isSpecial(index),
                    isEncrypted: status.encryption_method != UInt16(ZIP_EM_NONE)))
        }
        return entries
    }

    private func isSpecial(_ index: UInt64) -> Bool {
        var system: UInt8 = 0
        var attributes: UInt32 = 0
        guard zip_file_get_external_attributes(archive, index, 0, &system, &attributes) == 0, system == ZIP_OPSYS_UNIX
        else { return false }
        let type = attributes >> 16 & S_IFMT
        return type != 0 && type != S_IFREG && type != S_IFDIR
    }

    /// Gives the unpacked bytes of an entry to `take`, piece by piece.
    ///
    /// - Throws: `Failure` when it is damaged or its checksum wrong; then what was given is not to be used.
    func unpack(_ entry: Entry, _ take: ([UInt8]) throws -> Void) throws {
        guard let file = zip_fopen_index(archive, entry.index, 0) else { throw failure() }
        defer { zip_fclose(file) }
        var left = entry.bytes
        while left > 0 {
            let piece = [UInt8](unsafeUninitializedCapacity: min(left, Self.pieceBytes)) { buffer, count in
                count = max(0, Int(zip_fread(file, buffer.baseAddress, UInt64(buffer.count))))
            }
            guard !piece.isEmpty else { throw Self.damaged }
            left -= piece.count
            try take(piece)
        }
        // Only a read beyond the end compares the checksum.
        var beyond: UInt8 = 0
        guard zip_fread(file, &beyond, 1) == 0 else { throw Self.damaged }
    }

    private static let pieceBytes = 256 << 10
    private static let damaged = Failure(message: "it is damaged, or larger than it claims")

    /// How many entries the end of the file claims; nil when there is no such end. 65,535 stands for that many or more.
    static func entryCount(descriptor: Int32) -> (entries: Int, fileBytes: Int)? {
        let recordBytes = 22
        let size = Int(lseek(descriptor, 0, SEEK_END))
        guard size >= recordBytes, lseek(descriptor, 0, SEEK_SET) == 0 else { return nil }
        let start = max(0, size - recordBytes - 0xFFFF)
        let tail = [UInt8](unsafeUninitializedCapacity: size - start) { buffer, count in
            count = max(0, pread(descriptor, buffer.baseAddress, buffer.count, off_t(start)))
        }
        guard tail.count >= recordBytes else { return nil }
        // The last one: an archive stored in this one has such an end, too.
        for start in stride(from: tail.count - recordBytes, through: 0, by: -1)
        where tail[start] == 0x50 && tail[start + 1] == 0x4B && tail[start + 2] == 5 && tail[start + 3] == 6 {
            return (Int(tail[start + 10]) | Int(tail[start + 11]) << 8, size)
        }
        return nil
    }

    private func failure() -> Failure {
        Failure(message: String(cString: zip_strerror(archive)))
    }
}
