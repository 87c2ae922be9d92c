internal import Glibc
internal import Synchronization

/// A scan unpacked from an archive, in a file of its own that is removed unless somebody takes it over.
final class StagedScan: Sendable {
    private struct State {
        var descriptor: Int32
        var isOurs = true
    }

    let path: String
    private let state: Mutex<State>

    /// - Parameter path: where nothing is yet.
    init(path: String) throws(IntakeFailure) {
        self.path = path
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        let number = errno
        state = Mutex(State(descriptor: descriptor, isOurs: descriptor >= 0))
        guard descriptor >= 0 else { throw Self.failure(number) }
    }

    deinit {
        close()
        if state.withLock({ $0.isOurs }) { unlink(path) }
    }

    func write(_ bytes: [UInt8]) throws(IntakeFailure) {
        let number = state.withLock { state -> Int32 in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(state.descriptor, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return errno }
                rest = rest.dropFirst(count)
            }
            return 0
        }
        guard number == 0 else { throw Self.failure(number) }
    }

    func close() {
        state.withLock { state in
            if state.descriptor >= 0 { _ = Glibc.close(state.descriptor) }
            state.descriptor = -1
        }
    }

    /// The file is somebody else's from now on.
    func release() {
        state.withLock { $0.isOurs = false }
    }

    private static func failure(_ number: Int32) -> IntakeFailure {
        number == ENOSPC || number == EDQUOT
            ? .storageFull : IntakeFailure(.unavailable, "The scan cannot be stored now. Try again.")
    }
}
