import Accounts
import Configuration
import Domain
import EventBus
import ExamStore
import Foundation
import Logging
import Redis
import ServiceLifecycle
import TaskQueue
import TestSupport
import Testing

@testable import BlobStore
@testable import Notifier
@testable import ServiceKit
@testable import Webhooks

/// A notifier, wired as the real one, with a Redis of its own.
struct RunningNotifier: Sendable {
    static let context = EventContext(source: "/test", correlationID: "chain", actor: "zhang")
    /// What lets a notifier reach a receiver of the tests.
    static let open = [
        "WEBHOOK_ALLOW_HTTP": "yes", "WEBHOOK_ALLOW_PRIVATE": "yes", "WEBHOOK_RETRY_DELAY": "0.05,0.05,0.05",
    ]

    let context: ServiceContext
    let redis: RedisServer
    var store: ExamStore { context.store }
    var webhooks: WebhookStore { WebhookStore(client: context.client, keys: context.settings.keys) }
    var accounts: Accounts { Accounts(client: context.client, keys: context.settings.keys) }

    /// - Parameters:
    ///   - settings: of the environment.
    ///   - isRunning: false for a Redis without a notifier.
    static func run(
        _ settings: [String: String] = open, isRunning: Bool = true, _ body: (RunningNotifier) async throws -> Void
    ) async throws {
        let redis = try RedisServer()
        defer { redis.stop() }
        let environment = settings.merging(Self.environment(redis)) { first, _ in first }
        let reader = SettingsReader(
            config: ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: environment)))
        let values = try ServiceSettings(reader: reader)
        let logger = Logger(label: "notifier") { _ in SwiftLogNoOpLogHandler() }
        let client = RedisClient(configuration: values.redis, logger: logger)
        let context = ServiceContext(
            name: "notifier", settings: values, reader: reader, logger: logger, client: client,
            bus: EventBus(client: client, keys: values.keys, configuration: values.bus, source: "/zhiyue/notifier"),
            queue: TaskQueue(client: client, keys: values.keys, configuration: values.queue),
            store: ExamStore(client: client, keys: values.keys, partitions: values.bus.partitions),
            blobs: try BlobStore(directory: environment["DATA_DIR"] ?? ""),
            health: ServiceHealth(service: "notifier", client: client),
            registry: ServiceRegistry(client: client, keys: values.keys), healthPort: HealthPort())
        try await context.bus.prepare()
        let services: [any Service] = isRunning ? try await Notifier.services(context) : []
        let group = ServiceGroup(services: [client] + services, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                try await body(RunningNotifier(context: context, redis: redis))
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    static func environment(_ redis: RedisServer) -> [String: String] {
        [
            "REDIS_URL": redis.url, "DATA_DIR": redis.directory.appendingPathComponent("data").path,
            "EVENT_PARTITIONS": "4", "SHUTDOWN_GRACE": "1",
        ]
    }

    @discardableResult
    func webhook(
        _ url: String, _ types: [EventType] = [ExamCreated.type], owner: UserID = "zhang", role: Role = .teacher,
        exams: [ExamID] = []
    ) async throws -> Webhook {
        try await webhooks.create(
            Webhook(
                id: "wh_" + UUIDv7.make().compactString, url: url, eventTypes: types, examIDs: exams, description: nil,
                owner: owner, ownerRole: role, secret: .make(), createdAt: .now), context: Self.context)
    }

    /// - Returns: the exam, whose `exam.created` is on its stream.
    @discardableResult
    func createExam(_ id: ExamID = .make(), owner: UserID = "zhang") async throws -> ExamID {
        let draft = ExamDraft(
            title: "Mid-term", subject: "", studentIDDigits: 4,
            questions: [Question(number: 1, kind: .singleChoice, points: 2, options: 4, answer: "A")])
        let page = LayoutPage(number: 1, width: 210, height: 297, cornerMarks: [], code: nil, fields: [])
        try await store.create(
            Exam(
                id: id, draft: draft, owner: owner, createdAt: .now, updatedAt: .now, version: 1, keyVersion: 1),
            layout: SheetLayout(pages: [page]), context: Self.context)
        return id
    }

    /// The tasks of a webhook.
    func tasks(of webhook: Webhook) async throws -> [TaskRecord] {
        try await context.queue.tasks(
            type: WebhookTask.type, state: nil, examID: ExamID(webhook.id), priority: nil, cursor: nil, limit: 100
        ).items
    }

    func state(of webhook: Webhook) async throws -> WebhookState {
        try #require(try await webhooks.states(of: [webhook.id]).first)
    }
}

/// Looks again and again until `condition` holds; fails after half a minute.
func until(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, "not in time: \(what)")
        try await Task.sleep(for: .milliseconds(10))
    }
}
