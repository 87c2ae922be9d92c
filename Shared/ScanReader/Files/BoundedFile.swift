internal import Glibc

/// A file opened for reading at any place, or bytes that are read like one.
struct BoundedFile: Sendable {
    enum Failure: Error, CustomStringConvertible {
        case system(errno: Int32)
        case tooLarge(bytes: Int)
        case notAFile

        var description: String {
            switch self {
            case .system(let errno): systemMessage(errno)
            case .tooLarge(let bytes): "it has \(bytes) bytes"
            case .notAFile: "it is no file"
            }
        }
    }

    private enum Source: Sendable {
        case bytes([UInt8])
        case descriptor(Descriptor)
    }

    private final class Descriptor: Sendable {
        let number: Int32
        init(_ number: Int32) { self.number = number }
        deinit { close(number) }
    }

    private let source: Source
    let count: Int

    init(_ bytes: [UInt8]) {
        source = .bytes(bytes)
        count = bytes.count
    }

    /// A regular file of any size.
    init(path: String) throws(Failure) {
        // Not blocking: somebody's named pipe must not hold us up.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system(errno: errno) }
        let owner = Descriptor(descriptor)
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile }
        source = .descriptor(owner)
        count = Int(status.st_size)
    }

    /// Up to `length` bytes from `offset`; fewer at the end, none on an error or outside.
    func read(at offset: Int, count length: Int) -> [UInt8] {
        guard offset >= 0, length > 0, offset < count else { return [] }
        let length = min(length, count - offset)
        switch source {
        case .bytes(let bytes):
            return Array(bytes[offset..<offset + length])
        case .descriptor(let descriptor):
            return [UInt8](unsafeUninitializedCapacity: length) { buffer, done in
                done = 0
                while done < length {
                    let count = pread(
                        descriptor.number, buffer.baseAddress?.advanced(by: done), length - done, off_t(offset + done))
                    if count < 0, errno == EINTR { continue }
                    if count <= 0 { break }
                    done += count
                }
            }
        }
    }

    /// A whole file of at most `limit` bytes. Also reads files that tell no size, as those of `/proc`.
    static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        let file = try BoundedFile(path: path)
        guard file.count <= limit else { throw .tooLarge(bytes: file.count) }
        guard file.count == 0, case .descriptor(let descriptor) = file.source else {
            return file.read(at: 0, count: file.count)
        }
        return [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            count = max(0, Glibc.read(descriptor.number, buffer.baseAddress, limit))
        }
    }
}
