internal import Glibc
internal import UnixSignals

/// Runs the whole system until a signal ends it: obeys `SystemStateMachine`.
struct SystemRunner {
    private typealias Stage = SystemStateMachine.Stage

    private enum Message: Sendable {
        case event(SystemStateMachine.Event)
        /// A supervisor of the stage returned.
        case supervisorEnded(SystemStateMachine.Stage)
    }

    let configuration: SystemConfiguration
    private let directory: DataDirectory
    private let redis: PrivateRedis?
    private let system: RunningSystem
    private let supervisors: [SystemStateMachine.Stage: [Supervisor]]
    /// Ends with its companion, and prints no ready line.
    private let isEphemeral: Bool
    /// Runs beside the ready system and is cancelled with it.
    private let companion: (@Sendable (RunningSystem) async -> Void)?

    /// Prepares the data directory and checks what can be checked before anything is started.
    init(
        _ configuration: SystemConfiguration, isEphemeral: Bool = false,
        companion: (@Sendable (RunningSystem) async -> Void)? = nil
    ) throws(CommandFailure) {
        self.configuration = configuration
        self.isEphemeral = isEphemeral
        self.companion = companion
        directory = try DataDirectory(
            path: configuration.dataDirectory, sharing: configuration.redisURL == nil ? .exclusive : .shared)
        let port = try ListeningPort.check(host: configuration.host, port: configuration.port)
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        var supervisors: [Stage: [Supervisor]] = [:]
        if configuration.redisURL == nil {
            let redis = try PrivateRedis(directory: directory, environment: configuration.environment)
            let log = try ChildLog(name: "redis", directory: directory.logDirectory, showsWarnings: false)
            supervisors[.redis] = [Supervisor(name: "redis", launch: redis.launch, log: log)]
            self.redis = redis
        } else {
            redis = nil
        }
        let redisURL = configuration.redisURL ?? redis?.url ?? ""
        let processes = configuration.processes(in: directory, redisURL: redisURL, port: port)
        system = RunningSystem(
            url: "http://\(host):\(port)", redisURL: redisURL,
            replicas: processes.compactMap { $0.launch.environment["SERVICE_REPLICA"] },
            dataDirectory: directory.path, logDirectory: directory.logDirectory)
        for process in processes {
            guard access(process.launch.executable, X_OK) == 0 else {
                throw CommandFailure("\(process.launch.executable) is missing; build it (make build)")
            }
            let log = try ChildLog(name: process.name, directory: directory.logDirectory, showsWarnings: true)
            supervisors[process.kind == .gateway ? .gateway : .services, default: []]
                .append(Supervisor(name: process.name, launch: process.launch, log: log))
        }
        self.supervisors = supervisors
    }

    /// Prints the ready line, unless ephemeral, and returns after an orderly stop.
    /// - Throws: `CommandFailure` when the system cannot start or had to be killed.
    func run() async throws(CommandFailure) {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        if let password = try AdminPassword.create(at: directory.adminPasswordFile), !isEphemeral {
            writeError("zhiyue: user admin, password \(password) (kept in \(directory.adminPasswordFile))")
        }
        let (messages, inbox) = AsyncStream.makeStream(of: Message.self)
        let failure = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in signals { inbox.yield(.event(.signal)) }
            }
            let failure = await obey(messages, inbox, &group)
            group.cancelAll()
            return failure
        }
        if let failure { throw CommandFailure(failure) }
    }

    /// Carries out what the state machine says until it is finished.
    /// - Returns: why the system failed, nil after an orderly stop.
    private func obey(
        _ messages: AsyncStream<Message>, _ inbox: AsyncStream<Message>.Continuation, _ group: inout TaskGroup<Void>
    ) async -> String? {
        var machine = SystemStateMachine(hasPrivateRedis: redis != nil)
        var running: [Stage: Int] = [:]
        var stopping: Stage?
        start(.redis, inbox, &group, &running)
        awaitRedis(inbox, &group)
        for await message in messages {
            var events: [SystemStateMachine.Event] = []
            switch message {
            case .event(let event): events.append(event)
            case .supervisorEnded(let stage):
                running[stage, default: 0] -= 1
                if stage == stopping && running[stage] == 0 { events.append(.ended(stage)) }
            }
            while !events.isEmpty {
                for action in machine.handle(events.removeFirst()) {
                    switch action {
                    case .startServices:
                        start(.services, inbox, &group, &running)
                        start(.gateway, inbox, &group, &running)
                        awaitServices(inbox, &group)
                    case .announceReady: announceReady(inbox, &group)
                    case .stop(let stage):
                        stopping = stage
                        stop(stage, &group)
                        if running[stage, default: 0] == 0 { events.append(.ended(stage)) }
                    case .killEverything:
                        for list in supervisors.values { for supervisor in list { supervisor.kill() } }
                    case .finish(let failure): return failure
                    }
                }
            }
        }
        return nil
    }

    private func start(
        _ stage: Stage, _ inbox: AsyncStream<Message>.Continuation, _ group: inout TaskGroup<Void>,
        _ running: inout [Stage: Int]
    ) {
        for supervisor in supervisors[stage] ?? [] {
            running[stage, default: 0] += 1
            group.addTask {
                do throws(CommandFailure) {
                    try await supervisor.run()
                } catch {
                    inbox.yield(.event(.failed(error.description)))
                }
                inbox.yield(.supervisorEnded(stage))
            }
        }
    }

    private func awaitRedis(_ inbox: AsyncStream<Message>.Continuation, _ group: inout TaskGroup<Void>) {
        guard let redis else {
            inbox.yield(.event(.redisReady))
            return
        }
        group.addTask {
            // Only cancellation ends it early.
            guard (try? await redis.waitUntilReady()) != nil else { return }
            inbox.yield(.event(.redisReady))
        }
    }

    private func awaitServices(_ inbox: AsyncStream<Message>.Continuation, _ group: inout TaskGroup<Void>) {
        group.addTask {
            do {
                try await GatewayProbe(url: system.url).waitUntilReady()
                try await RegistryProbe.waitUntilReady(system)
                inbox.yield(.event(.servicesReady))
            } catch is CancellationError {
                // The system stops before it was ready.
            } catch {
                inbox.yield(.event(.failed("\(error)")))
            }
        }
        let (deadline, logs) = (configuration.startDeadline, directory.logDirectory)
        group.addTask {
            guard (try? await Task.sleep(for: deadline)) != nil else { return }
            // Without effect when the system is ready by then.
            inbox.yield(.event(.failed("the services are not ready after \(deadline); see \(logs)")))
        }
    }

    private func announceReady(_ inbox: AsyncStream<Message>.Continuation, _ group: inout TaskGroup<Void>) {
        for list in supervisors.values { for supervisor in list { supervisor.systemBecameReady() } }
        if !isEphemeral {
            print("ready \(system.url)")
            fflush(nil)
        }
        guard let companion else { return }
        group.addTask {
            await companion(system)
            if isEphemeral { inbox.yield(.event(.companionEnded)) }
        }
    }

    private func stop(_ stage: Stage, _ group: inout TaskGroup<Void>) {
        let list = supervisors[stage] ?? []
        for supervisor in list { supervisor.stop() }
        let deadline = configuration.stopDeadline
        group.addTask {
            guard (try? await Task.sleep(for: deadline)) != nil else { return }
            for supervisor in list { supervisor.kill() }
        }
    }
}

/// What others are told of the system that `SystemRunner` runs.
struct RunningSystem: Sendable {
    /// The gateway's.
    var url: String
    var redisURL: String
    /// The names under which its processes report themselves.
    var replicas: [String]
    var dataDirectory: String
    var logDirectory: String
}
