internal import CZip
internal import Glibc

/// The entries of a ZIP file, listed and unpacked one by one into memory, each within the bound the caller gives.
actor ZipArchive {
    struct Entry: Sendable {
        var index: UInt64
        /// As UTF-8, whatever the archive's encoding was; control characters replaced.
        var name: String
        /// As the archive claims; unpacking stops there.
        var bytes: Int
        var packedBytes: Int
        var isDirectory: Bool
        var isEncrypted: Bool
    }

    struct Failure: Error {
        var message: String
    }

    private let executor = QueueExecutor("zip")
    private let handle: Handle
    private var archive: OpaquePointer { handle.pointer }

    private final class Handle {
        let pointer: OpaquePointer
        init(_ pointer: OpaquePointer) { self.pointer = pointer }
        deinit { zip_discard(pointer) }
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(path: String) throws(Failure) {
        var code: Int32 = 0
        guard let archive = zip_open(path, Int32(ZIP_RDONLY), &code) else {
            var error = zip_error_t()
            zip_error_init_with_code(&error, code)
            defer { zip_error_fini(&error) }
            throw Failure(message: String(cString: zip_error_strerror(&error)))
        }
        handle = Handle(archive)
    }

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
                    packedBytes: Int(clamping: status.comp_size), isDirectory: name.hasSuffix("/"),
                    isEncrypted: status.encryption_method != UInt16(ZIP_EM_NONE)))
        }
        return entries
    }

    /// The unpacked bytes of an entry, whose checksum was right.
    func bytes(of entry: Entry) throws(Failure) -> [UInt8] {
        guard let file = zip_fopen_index(archive, entry.index, 0) else { throw failure() }
        defer { zip_fclose(file) }
        var complete = false
        let bytes = [UInt8](unsafeUninitializedCapacity: entry.bytes) { buffer, done in
            done = 0
            while done < entry.bytes {
                let count = zip_fread(file, buffer.baseAddress?.advanced(by: done), UInt64(entry.bytes - done))
                if count <= 0 { return }
                done += Int(count)
            }
            // Only a read beyond the end compares the checksum.
            var beyond: UInt8 = 0
            complete = zip_fread(file, &beyond, 1) == 0
        }
        guard complete else { throw Failure(message: "it is damaged, or larger than it claims") }
        return bytes
    }

    /// How many entries the end of the file claims; nil when there is no such end. 65,535 stands for that many or more.
    static func entryCount(_ file: BoundedFile) -> Int? {
        let recordBytes = 22
        let tail = file.read(at: max(0, file.count - recordBytes - 0xFFFF), count: recordBytes + 0xFFFF)
        guard tail.count >= recordBytes else { return nil }
        // The last one: an archive stored in this one has such an end, too.
        for start in stride(from: tail.count - recordBytes, through: 0, by: -1)
        where tail[start] == 0x50 && tail[start + 1] == 0x4B && tail[start + 2] == 5 && tail[start + 3] == 6 {
            return tail.littleEndian(start + 10, 2)
        }
        return nil
    }

    private func failure() -> Failure {
        Failure(message: String(cString: zip_strerror(archive)))
    }
}
