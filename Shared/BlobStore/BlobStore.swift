package import Crypto
package import Domain
internal import Glibc
internal import NIOPosix

/// Immutable files named by the SHA-256 of their content, under `<directory>/blobs/ab/cdef…`.
///
/// A blob appears under its name only when it is complete and on disk (written aside, synced, renamed), so a process
/// killed at any moment leaves at most a stray file in `<directory>/incoming`. Storing the same bytes again is harmless.
/// All file work runs on the shared blocking-I/O threads.
package struct BlobStore: Sendable {
    package let directory: String

    /// - Parameter directory: created when absent.
    /// - Throws: `BlobStoreError` when it cannot be created or written.
    package init(directory: String) throws {
        self.directory = directory
        for path in [directory, directory + "/blobs", directory + "/incoming"] {
            guard mkdir(path, 0o750) == 0 || errno == EEXIST else {
                throw BlobStoreError.system("create the folder", path)
            }
        }
        guard access(directory + "/incoming", W_OK) == 0 else {
            throw BlobStoreError.system("write to", directory + "/incoming")
        }
    }

    /// Where the bytes of `id` are, whether or not they exist.
    package func path(of id: BlobID) -> String {
        "\(directory)/blobs/\(id.rawValue.prefix(2))/\(id.rawValue.dropFirst(2))"
    }

    /// A new path on the same file system, for a file to be handed to `ingest` later.
    package func temporaryPath() -> String {
        "\(directory)/incoming/\(UUIDv7.make().compactString)"
    }

    package func contains(_ id: BlobID) -> Bool {
        id.isValid && access(path(of: id), R_OK) == 0
    }

    /// Stores `bytes`.
    package func store(_ bytes: [UInt8]) async throws -> BlobID {
        let id = BlobID(SHA256.hash(data: bytes))
        if contains(id) { return id }
        let temporary = temporaryPath()
        try await NIOThreadPool.singleton.runIfActive {
            do {
                try Self.write(bytes, to: temporary)
                try publish(fileAt: temporary, id: id)
            } catch {
                unlink(temporary)
                throw error
            }
        }
        return id
    }

    /// Takes over the complete file at `path` (from `temporaryPath`), whose content has the hash `id`.
    package func ingest(fileAt path: String, id: BlobID) async throws {
        try await NIOThreadPool.singleton.runIfActive {
            if contains(id) {
                unlink(path)
                return
            }
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw BlobStoreError.system("open", path) }
            defer { close(descriptor) }
            guard fsync(descriptor) == 0 else { throw BlobStoreError.system("write", path) }
            try publish(fileAt: path, id: id)
        }
    }

    /// Takes over the complete file at `path` (from `temporaryPath`).
    package func ingest(fileAt path: String) async throws -> BlobID {
        let id = try await NIOThreadPool.singleton.runIfActive { BlobID(try Self.hash(fileAt: path)) }
        try await ingest(fileAt: path, id: id)
        return id
    }

    private static func hash(fileAt path: String) throws -> SHA256.Digest {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw BlobStoreError.system("open", path) }
        defer { close(descriptor) }
        var hash = SHA256()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw BlobStoreError.system("read", path) }
            if count == 0 { return hash.finalize() }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    /// - Parameter limit: largest size in bytes that is read.
    /// - Throws: `BlobStoreError` with `.notFound`, `.tooLarge` or `.system`.
    package func read(_ id: BlobID, limit: Int = 256 << 20) async throws -> [UInt8] {
        guard id.isValid else { throw BlobStoreError(.notFound, "no blob is named \(id)") }
        let path = path(of: id)
        return try await NIOThreadPool.singleton.runIfActive { try Self.read(path, limit: limit) }
    }

    private func publish(fileAt temporary: String, id: BlobID) throws {
        let target = path(of: id)
        let folder = String(target[..<(target.lastIndex(of: "/") ?? target.endIndex)])
        if mkdir(folder, 0o750) == 0 {
            // Else a new folder, and the blob in it, may be gone after a power failure.
            try Self.sync(folder: directory + "/blobs")
        } else if errno != EEXIST {
            throw BlobStoreError.system("create the folder", folder)
        }
        guard rename(temporary, target) == 0 else { throw BlobStoreError.system("rename to", target) }
        try Self.sync(folder: folder)
    }

    private static func sync(folder: String) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw BlobStoreError.system("open", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw BlobStoreError.system("sync", folder) }
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw BlobStoreError.system("create", path) }
        defer { close(descriptor) }
        try bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw BlobStoreError.system("write", path)
                }
                rest = rest.dropFirst(count)
            }
        }
        guard fsync(descriptor) == 0 else { throw BlobStoreError.system("write", path) }
    }

    private static func read(_ path: String, limit: Int) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { throw BlobStoreError(.notFound, "the blob \(path) is missing") }
            throw BlobStoreError.system("open", path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw BlobStoreError.system("examine", path) }
        let size = Int(status.st_size)
        guard size <= limit else {
            throw BlobStoreError(.tooLarge, "\(path) has \(size) bytes; at most \(limit) are read")
        }
        return try [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
            while initialized < size {
                let count = Glibc.read(descriptor, buffer.baseAddress?.advanced(by: initialized), size - initialized)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw BlobStoreError.system("read", path)
                }
                if count == 0 { break }
                initialized += count
            }
        }
    }
}

extension BlobID {
    /// The name of content with this digest.
    package init(_ digest: SHA256.Digest) {
        let digits = Array("0123456789abcdef".utf8)
        self.init(
            rawValue: String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self))
    }
}
