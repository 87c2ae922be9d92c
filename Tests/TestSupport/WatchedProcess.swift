internal import Glibc
internal import Synchronization

/// A child process that dies with the test process, also when that crashes, and even while it is stopped.
package final class WatchedProcess: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private enum State {
        case running
        /// As `waitpid` gave it.
        case ended(Int32)
    }

    package let pid: Int32
    private let watcher: pid_t
    /// Closing it, or the end of this process, makes the watcher kill the child.
    private let watcherInput: Int32
    private let state = Mutex(State.running)

    /// - Parameters:
    ///   - arguments: The program, looked up in PATH when it has no slash, and its arguments.
    ///   - environment: Added to that of this process.
    ///   - errorFile: Gets what the child writes to standard error; nowhere when nil.
    ///   - cleanUp: A shell command to run after the child when this process ends before it.
    package init(
        _ arguments: [String], environment: [String: String] = [:], errorFile: String? = nil, cleanUp: String = ":"
    ) throws {
        (pid, watcher, watcherInput) = try Self.spawning.withLock { _ in
            let pid = try Self.spawn(arguments, environment: environment, errorFile: errorFile)
            // Reads to the end of the pipe, which only this process holds.
            let script = "cat >/dev/null; kill -9 \(pid) 2>/dev/null; \(cleanUp)"
            let (watcher, input) = try Self.spawnWatcher(script)
            return (pid, watcher, input)
        }
    }

    deinit {
        end()
    }

    package func signal(_ number: Int32) {
        state.withLock { state in
            if case .running = state { kill(pid, number) }
        }
    }

    /// Ends the process, at once by SIGKILL.
    package func end(signal number: Int32 = SIGKILL) {
        state.withLock { state in
            guard case .running = state else { return }
            kill(pid, number)
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            state = .ended(status)
            dismissWatcher()
        }
    }

    /// - Returns: the exit status, or 128 and the signal that ended it; nil while it runs.
    package var exitStatus: Int32? {
        state.withLock { state in
            if case .running = state {
                var status: Int32 = 0
                guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
                state = .ended(status)
                dismissWatcher()
            }
            guard case .ended(let status) = state else { return nil }
            return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        }
    }

    /// It would otherwise kill a process number that may be someone else's by then.
    private func dismissWatcher() {
        kill(watcher, SIGKILL)
        waitpid(watcher, nil, 0)
        close(watcherInput)
    }

    // MARK: Inside

    /// No other child may inherit a watcher's pipe before it is marked close-on-exec.
    private static let spawning = Mutex(())

    private static func spawn(
        _ arguments: [String], environment: [String: String], input: Int32? = nil, errorFile: String? = nil
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        if let errorFile {
            posix_spawn_file_actions_addopen(&actions, 2, errorFile, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own, so that an interrupt typed at the terminal ends the tests first.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        let strings = arguments.map { strdup($0) } + [nil]
        let variables = variables(adding: environment).map { strdup($0) } + [nil]
        defer {
            for string in strings + variables {
                free(string)
            }
        }
        var pid: pid_t = 0
        let status = posix_spawnp(&pid, strings[0] ?? strdup(""), &actions, &attributes, strings, variables)
        guard status == 0 else {
            throw Failure(description: "cannot start \(arguments[0]): \(String(cString: strerror(status)))")
        }
        return pid
    }

    private static func variables(adding environment: [String: String]) -> [String] {
        var variables: [String] = []
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if environment[String(text.prefix { $0 != "=" })] == nil { variables.append(text) }
            next += 1
        }
        return variables + environment.map { "\($0)=\($1)" }
    }

    private static func spawnWatcher(_ script: String) throws -> (pid_t, Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure(description: "pipe: \(errno)") }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        defer { close(ends[0]) }
        return (try spawn(["sh", "-c", script], environment: [:], input: ends[0]), ends[1])
    }
}
