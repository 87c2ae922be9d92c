internal import Glibc

/// What a captured process would try first. Each outcome is "done" or the number of the error it got.
enum Attempts {
    static func all() -> [String: String] {
        [
            // 0, 1, 2 and where its messages go.
            "descriptors": "\((4..<64).filter { fcntl(Int32($0), F_GETFD) >= 0 }.count)",
            "socket": outcome(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)),
            "unix_socket": outcome(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)),
            "execute": execute(),
            "spawn": spawn(),
            "write_file": outcome(open("/tmp/hostile-reader", O_WRONLY | O_CREAT, 0o600)),
            "append_file": outcome(open("/dev/null", O_RDWR | O_APPEND)),
            "make_directory": outcome(mkdir("/tmp/hostile-reader", 0o700)),
            "kill_parent": outcome(kill(getppid(), 0)),
            "read_parent_memory": outcome(open("/proc/\(getppid())/mem", O_RDONLY)),
            "raise_limit": raiseLimit(),
            "read_passwords": outcome(open("/etc/passwd", O_RDONLY)),
            "read_parent_environment": outcome(open("/proc/\(getppid())/environ", O_RDONLY)),
            "read_library": outcome(open("/usr/lib/os-release", O_RDONLY)),
            "thread": thread(),
            "secret": getenv("PATH") == nil ? "absent" : "present",
        ]
    }

    static func outcome(_ result: Int32) -> String {
        result >= 0 ? "done" : "\(errno)"
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

    private static func raiseLimit() -> String {
        var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
        return outcome(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit))
    }

    /// Threads are what the text model needs.
    private static func thread() -> String {
        var thread = pthread_t()
        let error = pthread_create(&thread, nil, { _ in nil }, nil)
        if error == 0 { pthread_join(thread, nil) }
        return error == 0 ? "done" : "\(error)"
    }
}
