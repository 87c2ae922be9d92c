import BlobStore
import Crypto
import Domain
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// A file on its way from a client to the disk, hashed as it is written. Its place on disk is of this server's making.
///
/// Blocking work runs on the blocking threads, a quarter of a megabyte at a time.
final class IncomingFile: Sendable {
    private struct State {
        var descriptor: Int32 = -1
        var hash = SHA256()
        var bytes = 0
        var isOnDisk = false
    }

    private static let chunk = 256 << 10

    let path: String
    let maxBytes: Int
    private let state = Mutex(State())
    private let pending = Mutex<[ByteBuffer]>([])
    private let pendingBytes = Mutex(0)

    /// - Parameter path: where nothing is yet.
    init(path: String, maxBytes: Int) {
        self.path = path
        self.maxBytes = maxBytes
    }

    deinit {
        discard()
    }

    var bytes: Int { state.withLock { $0.bytes } + pendingBytes.withLock { $0 } }
    /// What comes after the limit is not kept.
    var isTooLarge: Bool { bytes > maxBytes }

    func append(_ buffer: ByteBuffer) async throws {
        let count = pendingBytes.withLock { count in
            count += buffer.readableBytes
            return count
        }
        pending.withLock { $0.append(buffer) }
        if count >= Self.chunk { try await flush() }
    }

    /// To be called once, when all bytes were appended.
    ///
    /// - Returns: the name of the content.
    func finish() async throws -> BlobID {
        try await flush()
        return state.withLock { state in
            if state.descriptor >= 0 { close(state.descriptor) }
            state.descriptor = -1
            return BlobID(state.hash.finalize())
        }
    }

    /// The file at `path` is somebody else's from now on.
    func release() {
        state.withLock { $0.isOnDisk = false }
    }

    /// Removes what was written.
    func discard() {
        state.withLock { state in
            if state.descriptor >= 0 { close(state.descriptor) }
            state.descriptor = -1
            if state.isOnDisk { unlink(path) }
            state.isOnDisk = false
        }
    }

    private func flush() async throws {
        let buffers = pending.withLock { buffers in
            defer { buffers = [] }
            return buffers
        }
        pendingBytes.withLock { $0 = 0 }
        try await NIOThreadPool.singleton.runIfActive { [self] in
            try state.withLock { state in try Self.write(buffers, to: path, maxBytes: maxBytes, &state) }
        }
    }

    private static func write(_ buffers: [ByteBuffer], to path: String, maxBytes: Int, _ state: inout State) throws {
        if state.descriptor < 0 && !state.isOnDisk {
            state.descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
            guard state.descriptor >= 0 else { throw IncomingFileError.system("create", path) }
            state.isOnDisk = true
        }
        for buffer in buffers {
            state.bytes += buffer.readableBytes
            guard state.bytes <= maxBytes else { continue }
            try buffer.withUnsafeReadableBytes { bytes in
                state.hash.update(bufferPointer: bytes)
                var rest = bytes[...]
                while !rest.isEmpty {
                    let count = Glibc.write(
                        state.descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                    if count < 0 && errno == EINTR { continue }
                    guard count > 0 else { throw IncomingFileError.system("write", path) }
                    rest = rest.dropFirst(count)
                }
            }
        }
    }
}

/// The disk did not take an upload.
struct IncomingFileError: Error, CustomStringConvertible {
    /// True when no space was left.
    let isFull: Bool
    let description: String

    static func system(_ action: String, _ path: String) -> IncomingFileError {
        let number = errno
        return IncomingFileError(
            isFull: number == ENOSPC || number == EDQUOT,
            description: "cannot \(action) \(path): \(String(cString: strerror(number)))")
    }
}
