import Domain
package import Redis
internal import Synchronization

/// The queues of all task types: work to be done once, by any replica, however often processes die.
///
/// A task is delivered at least once and its outcome is recorded once: a claim holds a lease and a fence, and whoever
/// comes with an old fence is refused. Effects outside the queue have to be idempotent, or be guarded by the fence.
package final class TaskQueue: Sendable {
    let client: RedisClient
    let keys: RedisKeys
    package let configuration: TaskQueueConfiguration
    let scripts: QueueScripts
    /// Submissions of each type that are made one by one.
    let submitters = Mutex<[TaskType: Coalescer<TaskDraft, TaskSubmission?>]>([:])

    package convenience init(client: RedisClient, keys: RedisKeys, configuration: TaskQueueConfiguration) {
        self.init(client: client, keys: keys, configuration: configuration, scripts: QueueScripts())
    }

    init(client: RedisClient, keys: RedisKeys, configuration: TaskQueueConfiguration, scripts: QueueScripts) {
        self.client = client
        self.keys = keys
        self.configuration = configuration
        self.scripts = scripts
    }

    /// What every key of a queue begins with, hash tag included.
    func base(_ type: TaskType) -> String {
        keys.queue(type.rawValue, "")
    }

    /// The arguments of the scripts that end tasks.
    var limits: [any RedisArgument] {
        [configuration.resultTTL.milliseconds, configuration.maxFinished, configuration.maxDead]
    }

    func evaluate(
        _ script: RedisScript, _ type: TaskType, _ arguments: [any RedisArgument]
    ) async throws(RedisError) -> RESPValue {
        try await client.evaluate(script, keys: [base(type)], arguments: arguments)
    }

    /// For scripts that may be sent twice without harm: tries again when a reply is lost.
    func evaluateRepeatably(
        _ script: RedisScript, _ type: TaskType, _ arguments: [any RedisArgument]
    ) async throws(RedisError) -> RESPValue {
        for _ in 0..<2 where !Task.isCancelled {
            do {
                return try await evaluate(script, type, arguments)
            } catch {
                switch error.code {
                case .notSent, .outcomeUnknown: continue
                default: throw error
                }
            }
        }
        return try await evaluate(script, type, arguments)
    }

    /// A script's integer answer.
    func number(_ reply: RESPValue) throws(TaskQueueError) -> Int {
        guard let number = reply.int else {
            throw TaskQueueError(.unexpectedReply, "the queue expected a number from Redis")
        }
        return number
    }
}
