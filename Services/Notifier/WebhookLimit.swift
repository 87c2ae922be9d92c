internal import Domain
internal import Logging
internal import ServiceKit
internal import ServiceLifecycle
internal import TaskQueue

/// Sees to it that the queue of deliveries has a limit for one webhook, so that a receiver that hangs holds few of the
/// places. A limit that the operator has set stays.
struct WebhookLimit: Service {
    let queue: TaskQueue
    let perWebhook: Int
    let logger: Logger

    func run() async throws {
        // Again and again, since Redis may be emptied while this runs.
        try await PeriodicWork("limit deliveries of a webhook", every: .seconds(60), logger: logger, work: set).run()
    }

    @Sendable
    func set() async throws {
        var limits = try await queue.limits(type: WebhookTask.type)
        guard limits.runningPerExam == nil else { return }
        limits.runningPerExam = perWebhook
        try await queue.setLimits(limits, type: WebhookTask.type)
    }
}
