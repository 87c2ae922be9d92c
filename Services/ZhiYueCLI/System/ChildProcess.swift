internal import CProcess
internal import Glibc
internal import Synchronization

/// One run of another program, whose output goes to `log`.
///
/// A thread of its own starts the child, copies its output and waits for its end. The kernel kills the child when that
/// thread ends, hence when this process dies in whatever way; so the thread must not be one of a pool.
final class ChildProcess: Sendable {
    struct Launch: Sendable {
        var executable: String
        var arguments: [String] = []
        var environment: [String: String]
        var directory: String?
        /// What the child gets when this process dies.
        var deathSignal = SIGKILL
    }

    enum Ending: Equatable, Sendable, CustomStringConvertible {
        case status(Int32)
        case signal(Int32)

        var description: String {
            switch self {
            case .status(let code): "with exit status \(code)"
            case .signal(let number): "by signal \(number)"
            }
        }
    }

    private enum State {
        case notStarted(pendingSignal: Int32?)
        case running(pid_t)
        case ended
    }

    private let launch: Launch
    private let log: ChildLog
    private let state = Mutex(State.notStarted(pendingSignal: nil))

    init(_ launch: Launch, log: ChildLog) {
        self.launch = launch
        self.log = log
    }

    /// While it runs.
    var identifier: pid_t? {
        state.withLock { state in
            if case .running(let pid) = state { pid } else { nil }
        }
    }

    /// Starts the program and returns when it has ended. To be called once.
    /// - Throws: `CommandFailure` when it cannot be started.
    func run() async throws -> Ending {
        try await withCheckedThrowingContinuation { continuation in
            let started = Self.startThread {
                continuation.resume(with: Result { try self.runOnThisThread() })
            }
            if !started { continuation.resume(throwing: CommandFailure("cannot start a thread", errno: EAGAIN)) }
        }
    }

    /// Sends a signal; before the start it is sent at the start, after the end it does nothing. `SIGKILL` goes to the
    /// child's whole process group.
    func send(_ signal: Int32) {
        state.withLock { state in
            switch state {
            case .notStarted: state = .notStarted(pendingSignal: signal)
            case .running(let pid): kill(signal == SIGKILL ? -pid : pid, signal)
            case .ended: break
            }
        }
    }

    private func runOnThisThread() throws -> Ending {
        var pipe: [Int32] = [-1, -1]
        guard process_pipe(&pipe) == 0 else {
            throw CommandFailure("cannot make a pipe", errno: errno)
        }
        defer { close(pipe[0]) }
        var pid: pid_t = 0
        var pidfd: Int32 = -1
        let result = start(output: pipe[1], pid: &pid, pidfd: &pidfd)
        close(pipe[1])
        guard result == 0 else {
            state.withLock { $0 = .ended }
            throw CommandFailure("cannot start \(launch.executable)", errno: result)
        }
        defer { close(pidfd) }
        state.withLock { state in
            if case .notStarted(let signal?) = state { kill(pid, signal) }
            state = .running(pid)
        }
        copyOutput(from: pipe[0], until: pidfd)
        return reap(pid)
    }

    private func start(output: Int32, pid: inout pid_t, pidfd: inout Int32) -> Int32 {
        withCStrings([launch.executable] + launch.arguments) { arguments in
            withCStrings(launch.environment.map { "\($0.key)=\($0.value)" }) { environment in
                launch.executable.withCString { path in
                    withOptionalCString(launch.directory) { directory in
                        var request = process_launch(
                            path: path, arguments: arguments, environment: environment, directory: directory,
                            output: output, death_signal: launch.deathSignal)
                        return process_start(&request, &pid, &pidfd)
                    }
                }
            }
        }
    }

    /// Ends with the child, not with its output: a grandchild may hold that open.
    private func copyOutput(from output: Int32, until pidfd: Int32) {
        var waiting = [
            pollfd(fd: output, events: Int16(POLLIN), revents: 0), pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let count = poll(&waiting, nfds_t(waiting.count), -1)
            if count < 0 && errno == EINTR { continue }
            if waiting[0].revents != 0 && !drain(output) { waiting[0].fd = -1 }
            if count < 0 || waiting[1].revents != 0 { break }
        }
        _ = drain(output)
        log.endOfOutput()
    }

    /// - Returns: false at the end of the output.
    private func drain(_ output: Int32) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(output, &buffer, buffer.count)
            if count > 0 {
                log.append(buffer[..<count])
            } else if count == 0 || errno != EINTR {
                return count != 0 && errno == EAGAIN
            }
        }
    }

    private func reap(_ pid: pid_t) -> Ending {
        // Under the lock, so that no signal goes to whoever gets the number next.
        let status = state.withLock { state in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
            state = .ended
            return status
        }
        let signal = status & 0x7F
        return signal == 0 ? .status(status >> 8 & 0xFF) : .signal(signal)
    }

    private final class ThreadBody {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    private static func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 256 << 10)
        defer { pthread_attr_destroy(&attributes) }
        var thread = pthread_t()
        let box = Unmanaged.passRetained(ThreadBody(body))
        let code = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        if code != 0 { box.release() }
        return code == 0
    }
}

private func withCStrings<R>(_ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("the list has at least its end") }
        return body(base)
    }
}

private func withOptionalCString<R>(_ string: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
    guard let string else { return body(nil) }
    return string.withCString { body($0) }
}
