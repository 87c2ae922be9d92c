internal import Glibc

/// What `zhiyue up` runs, and where.
struct SystemConfiguration: Sendable {
    /// Where the gateway listens.
    var host = "127.0.0.1"
    /// 0 for any free port.
    var port = 8080
    var dataDirectory: String
    /// nil for a private Redis under the data directory.
    var redisURL: String?
    var replicas = ReplicaCounts()
    /// Where the services' executables are.
    var executableDirectory: String
    /// What the services inherit.
    var environment: [String: String]
    /// From the start of the services to the ready line.
    var startDeadline = Duration.seconds(60)
    /// What a stage has to end before it is killed.
    var stopDeadline: Duration { .seconds(shutdownGrace + 10) }

    /// What a stopping service may take to finish its work, in seconds.
    private var shutdownGrace: Double { environment["SHUTDOWN_GRACE"].flatMap { Double($0) } ?? 10 }

    /// One process to run.
    struct Process: Sendable {
        var name: String
        var kind: ServiceKind
        var launch: ChildProcess.Launch
    }

    func processes(in directory: DataDirectory, redisURL: String, port: Int) -> [Process] {
        ServiceKind.allCases.flatMap { kind in
            (0..<replicas[kind]).map { index in
                let name = "\(kind.rawValue)-\(index + 1)"
                var environment = environment
                environment["REDIS_URL"] = redisURL
                environment["DATA_DIR"] = directory.path
                environment["SERVICE_REPLICA"] = replicaName(name, slot: directory.slot)
                environment["HEALTH_PORT"] = "0"
                environment["SHUTDOWN_GRACE"] = String(shutdownGrace)
                if kind == .gateway {
                    environment["HTTP_HOST"] = host
                    environment["HTTP_PORT"] = String(port)
                    environment["ADMIN_PASSWORD_FILE"] = directory.adminPasswordFile
                }
                let launch = ChildProcess.Launch(
                    executable: "\(executableDirectory)/\(kind.rawValue)", environment: environment)
                return Process(name: name, kind: kind, launch: launch)
            }
        }
    }

    /// Unique among all systems that share a Redis.
    private func replicaName(_ name: String, slot: Int) -> String {
        guard redisURL != nil else { return name }
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        let host = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return slot == 1 ? "\(name)@\(host)" : "\(name)@\(host).\(slot)"
    }
}
