internal import CSandbox
internal import Glibc
internal import Synchronization

/// A running confined child and the conversation with it.
///
/// Sending and receiving block, so they belong on a thread of their own, and one thread at a time does them. ``kill()``
/// may be called from any thread at any time; the blocked one then gets ``ConfinedProcessError/ended(_:errorOutput:)``.
/// When the last reference goes, the child is killed and waited for.
package final class ConfinedProcess: Sendable {
    package let processID: Int32
    private let process: Int32
    private let channel: Int32
    private let errorChannel: Int32
    private let state = Mutex(State())

    private struct State {
        var exit: ChildExit?
        var errorOutput: [UInt8] = []
    }

    /// The end of the child's standard error that is kept for messages.
    private static let keptErrorBytes = 8_192

    package init(_ command: ConfinedCommand) throws(ConfinedProcessError) {
        var ends = try Self.socketPair()
        var errors = (try? Self.socketPair()) ?? (-1, -1)
        let file = Self.open(command.input)
        let openFailure = errno
        defer { for descriptor in [ends.1, errors.1, file ?? -1] where descriptor >= 0 { close(descriptor) } }

        var pid: pid_t = 0
        var pidfd: Int32 = -1
        var stage: Int32 = 0
        var failure: Int32 = 0
        if let file, file < 0 {
            failure = openFailure
        } else if errors.0 < 0 {
            failure = EMFILE
        } else {
            failure = command.withLaunch(
                input: file ?? ends.1, output: ends.1, error: errors.1
            ) { sandbox_start(&$0, &pid, &pidfd, &stage) }
        }
        guard failure == 0 else {
            close(ends.0)
            if errors.0 >= 0 { close(errors.0) }
            throw .cannotStart(step: stageName(stage), errno: failure)
        }
        processID = pid
        process = pidfd
        channel = ends.0
        errorChannel = errors.0
        ends.0 = -1
        errors.0 = -1
    }

    deinit {
        kill()
        _ = reap()
        close(process)
        close(channel)
        close(errorChannel)
    }

    /// A descriptor to read from, nil for a conversation, negative with `errno` on a failure.
    private static func open(_ input: ConfinedCommand.Input) -> Int32? {
        switch input {
        case .channel: nil
        case .bytes(let bytes): bytes.withUnsafeBytes { sandbox_memory_file($0.baseAddress, $0.count) }
        // Not blocking: somebody's named pipe must not hold us up.
        case .file(let path): Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        }
    }

    package func kill() {
        _ = sandbox_kill(process)
    }

    /// Lets the child use this much more processor time from now on.
    package func allowProcessorTime(seconds: Int) {
        _ = sandbox_allow_cpu(processID, UInt64(seconds))
    }

    /// Resident memory of the child in bytes; 0 when it has ended.
    package var residentBytes: Int {
        guard let line = try? BoundedFile.read("/proc/\(processID)/statm", limit: 256) else { return 0 }
        let fields = String(decoding: line, as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(getpagesize()) : 0
    }

    // MARK: Conversation

    package func send(
        _ bytes: [UInt8], until deadline: ContinuousClock.Instant
    ) throws(ConfinedProcessError) {
        var sent = 0
        while sent < bytes.count {
            try wait(for: POLLOUT, until: deadline)
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(channel, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count >= 0 {
                sent += count
            } else if errno == EPIPE || errno == ECONNRESET {
                throw ended(until: deadline)
            } else if errno != EAGAIN, errno != EINTR {
                throw .system(call: "send", errno: errno)
            }
        }
    }

    /// Exactly `count` bytes.
    package func receive(
        count: Int, until deadline: ContinuousClock.Instant
    ) throws(ConfinedProcessError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let chunk = try receiveSome(atMost: min(count - bytes.count, 1 << 20), until: deadline)
            if chunk.isEmpty { throw ended(until: deadline) }
            bytes.append(contentsOf: chunk)
        }
        return bytes
    }

    /// All bytes until the child closes its output, `limit` at most, and then how it ended.
    package func receiveAll(
        limit: Int, until deadline: ContinuousClock.Instant
    ) throws(ConfinedProcessError) -> (bytes: [UInt8], exit: ChildExit, errorOutput: String) {
        var bytes: [UInt8] = []
        while true {
            let chunk = try receiveSome(atMost: 1 << 18, until: deadline)
            if chunk.isEmpty { break }
            bytes.append(contentsOf: chunk)
            if bytes.count > limit {
                kill()
                throw .tooMuchOutput
            }
        }
        let exit = try finish(until: deadline)
        return (bytes, exit, errorOutput)
    }

    /// Empty at the end.
    private func receiveSome(
        atMost limit: Int, until deadline: ContinuousClock.Instant
    ) throws(ConfinedProcessError) -> [UInt8] {
        while true {
            try wait(for: POLLIN, until: deadline)
            var failure: Int32 = 0
            let chunk = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
                let received = recv(channel, buffer.baseAddress, limit, Int32(MSG_DONTWAIT))
                failure = received < 0 ? errno : 0
                count = max(received, 0)
            }
            switch failure {
            case 0: return chunk
            case ECONNRESET: return []
            case EAGAIN, EINTR: continue
            default: throw .system(call: "recv", errno: failure)
            }
        }
    }

    /// Returns when the channel is ready for `events`; keeps the child's standard error empty meanwhile, so that a
    /// talkative child does not block on it.
    private func wait(for events: Int32, until deadline: ContinuousClock.Instant) throws(ConfinedProcessError) {
        while true {
            var entries = [
                pollfd(fd: channel, events: Int16(events), revents: 0),
                pollfd(fd: errorChannel, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&entries, 2, deadline.pollMilliseconds)
            if ready < 0, errno != EINTR { throw .system(call: "poll", errno: errno) }
            if ready > 0 {
                if entries[1].revents != 0, !drainErrors(), entries[0].revents == 0 {
                    // Standard error is closed and would wake us without end.
                    entries[1].fd = -1
                    _ = poll(&entries, 2, deadline.pollMilliseconds)
                }
                if entries[0].revents != 0 { return }
            }
            if ContinuousClock.now >= deadline {
                kill()
                throw .timedOut
            }
        }
    }

    /// False when the child has closed it.
    @discardableResult
    private func drainErrors() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = recv(errorChannel, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count <= 0 { return count < 0 && (errno == EAGAIN || errno == EINTR) }
            state.withLock {
                $0.errorOutput.append(contentsOf: buffer[..<count])
                $0.errorOutput.removeFirst(max(0, $0.errorOutput.count - Self.keptErrorBytes))
            }
        }
    }

    /// The end of what the child wrote to standard error, on one line, without the addresses of a Swift stack trace.
    package var errorOutput: String {
        drainErrors()
        let text = String(decoding: state.withLock { $0.errorOutput }, as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline).prefix { $0 != "Current stack trace:" }
        return lines.joined(separator: "; ")
    }

    // MARK: End

    /// Waits for the child's end; kills it when the deadline passes.
    package func finish(until deadline: ContinuousClock.Instant) throws(ConfinedProcessError) -> ChildExit {
        var entry = pollfd(fd: process, events: Int16(POLLIN), revents: 0)
        while poll(&entry, 1, deadline.pollMilliseconds) <= 0 {
            if ContinuousClock.now >= deadline {
                kill()
                throw .timedOut
            }
        }
        return reap()
    }

    private func ended(until deadline: ContinuousClock.Instant) -> ConfinedProcessError {
        // It has closed its side of the channel; whether or not it goes on, it is of no use.
        let soon = min(deadline, ContinuousClock.now + .milliseconds(500))
        do {
            return .ended(try finish(until: soon), errorOutput: errorOutput)
        } catch {
            kill()
            return .ended(reap(), errorOutput: errorOutput)
        }
    }

    private func reap() -> ChildExit {
        state.withLock { state in
            if let exit = state.exit { return exit }
            var status: Int32 = 0
            while waitpid(processID, &status, 0) < 0 {
                // ECHILD: the process ignores SIGCHLD, so the status is lost.
                if errno != EINTR { break }
            }
            let exit: ChildExit =
                status & 0x7f == 0 ? .exited((status >> 8) & 0xff) : .signalled(status & 0x7f)
            state.exit = exit
            return exit
        }
    }

    private static func socketPair() throws(ConfinedProcessError) -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw .system(call: "socketpair", errno: errno) }
        return (ends[0], ends[1])
    }
}

extension ContinuousClock.Instant {
    /// Time left for `poll`, rounded up, at most a minute.
    fileprivate var pollMilliseconds: Int32 {
        let left = ContinuousClock.now.duration(to: self)
        return Int32(max(0, min(60_000, (left / .milliseconds(1)).rounded(.up))))
    }
}
