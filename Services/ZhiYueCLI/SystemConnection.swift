internal import Accounts
internal import Audit
internal import EventBus
internal import ExamStore
internal import FoundationEssentials
internal import Logging
internal import Redis
internal import ServiceKit
internal import TaskQueue

/// A command's way into a running system: through its Redis, with the same settings as its services.
struct SystemConnection: Sendable {
    let settings: ServiceSettings
    let client: RedisClient
    let bus: EventBus
    let queue: TaskQueue
    let store: ExamStore
    let registry: ServiceRegistry
    let audit: AuditLog
    let accounts: Accounts

    /// - Parameter redisURL: nil for `$REDIS_URL`, and without that the private Redis of the system on `dataDirectory`.
    init(redisURL: String?, dataDirectory: String) async throws {
        let reader = try await SettingsReader.environment()
        var settings = try ServiceSettings(reader: reader)
        let given = redisURL ?? reader.text("REDIS_URL", isSecret: true)
        settings.redis = try RedisConfiguration(url: given ?? Self.privateRedis(under: dataDirectory))
        settings.dataDirectory = dataDirectory
        self.settings = settings
        // What a command has to say about Redis it says in its error.
        let silent = Logger(label: "zhiyue") { _ in SwiftLogNoOpLogHandler() }
        client = RedisClient(configuration: settings.redis, logger: silent)
        bus = EventBus(client: client, keys: settings.keys, configuration: settings.bus, source: "/zhiyue/cli")
        queue = TaskQueue(client: client, keys: settings.keys, configuration: settings.queue)
        store = ExamStore(client: client, keys: settings.keys, partitions: settings.bus.partitions)
        registry = ServiceRegistry(client: client, keys: settings.keys)
        accounts = Accounts(client: client, keys: settings.keys)
        audit = AuditLog(client: client, keys: settings.keys, partitions: settings.bus.partitions)
    }

    /// To be called when done.
    func close() async {
        await client.close()
    }

    /// - Throws: `CommandFailure` when Redis is not there at once; commands would wait for it several seconds.
    func requireAnswer() async throws {
        let answers = await withTaskGroup(of: Bool.self) { tasks in
            tasks.addTask { (try? await client.send(["PING"])) != nil }
            tasks.addTask {
                try? await Task.sleep(for: .seconds(1))
                return false
            }
            defer { tasks.cancelAll() }
            return await tasks.next() ?? false
        }
        guard answers else { throw CommandFailure("the system's Redis does not answer") }
    }

    static func privateRedis(under directory: String) -> String {
        let absolute = directory.hasPrefix("/") ? directory : "\(FileManager.default.currentDirectoryPath)/\(directory)"
        return PrivateRedis.url(ofSocket: "\(absolute)/redis.sock")
    }
}
