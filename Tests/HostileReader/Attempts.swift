internal import CHostileCalls
internal import Glibc

/// What a captured process would try first. Each outcome is "done", the number of the error it got, or a count.
enum Attempts {
    static func all() -> [String: String] {
        var outcomes = [
            // 0, 1, 2 and where its messages go.
            "descriptors": "\((4..<64).filter { fcntl(Int32($0), F_GETFD) >= 0 }.count)",
            "execute": execute(),
            "spawn": spawn(),
            "append_file": outcome(open("/dev/null", O_RDWR | O_APPEND)),
            "kill_parent": outcome(kill(getppid(), 0)),
            "read_parent_memory": outcome(open("/proc/\(getppid())/mem", O_RDONLY)),
            "read_parent_environment": outcome(open("/proc/\(getppid())/environ", O_RDONLY)),
            "read_parent_descriptors": outcome(open("/proc/\(getppid())/fd", O_RDONLY | O_DIRECTORY)),
            "read_passwords": outcome(open("/etc/passwd", O_RDONLY)),
            "read_library": outcome(open("/usr/lib/os-release", O_RDONLY)),
            "private_memory": "\(hostile_allocation(1_200 << 20, 0))",
            "shared_memory": "\(hostile_allocation(1 << 20, 1))",
            "file_size": hardLimit(RLIMIT_FSIZE),
            "core_size": hardLimit(RLIMIT_CORE),
            "thread": thread(),
            "secret": getenv("PATH") == nil ? "absent" : "present",
            "open_files": openFiles(),
        ]
        for (name, outcome) in calls() { outcomes["call: \(name)"] = outcome }
        return outcomes
    }

    static func outcome(_ result: Int32) -> String {
        result >= 0 ? "done" : "\(errno)"
    }

    private static func calls() -> [(String, String)] {
        var outcomes: [(String, String)] = []
        var name: UnsafePointer<CChar>?
        while true {
            let error = hostile_call(Int32(outcomes.count), &name)
            guard error >= 0, let name else { return outcomes }
            outcomes.append((String(cString: name), error == 0 ? "done" : "\(error)"))
        }
    }

    private static func execute() -> String {
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/true"), nil]
        return outcome(execv("/bin/true", &arguments))
    }

    private static func spawn() -> String {
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/true"), nil]
        var pid: pid_t = 0
        let error = posix_spawn(&pid, "/bin/true", nil, nil, &arguments, nil)
        return error == 0 ? "done" : "\(error)"
    }

    private static func hardLimit(_ resource: __rlimit_resource) -> String {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 ? "\(limit.rlim_max)" : "\(errno)"
    }

    /// How many descriptors there can be.
    private static func openFiles() -> String {
        var count = 0
        while fcntl(0, F_DUPFD, 0) >= 0 { count += 1 }
        let error = errno
        for descriptor in 5..<Int32(count + 5) { close(descriptor) }
        return error == EMFILE && count < 64 ? "below 64" : "\(count), then \(error)"
    }

    /// Threads are what the text model needs.
    private static func thread() -> String {
        var thread = pthread_t()
        let error = pthread_create(&thread, nil, { _ in nil }, nil)
        if error == 0 { pthread_join(thread, nil) }
        return error == 0 ? "done" : "\(error)"
    }
}
