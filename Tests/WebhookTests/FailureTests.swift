import Accounts
import Domain
import ExamStore
import Foundation
import Redis
import ServiceKit
import TaskQueue
import TestSupport
import Testing

@testable import Notifier
@testable import Webhooks

/// What becomes of deliveries to receivers that do not take them, and of those whose owners may not have them.
@Suite(.timeLimit(.minutes(5))) struct FailureTests {
    private static func settings(_ more: [String: String]) -> [String: String] {
        RunningNotifier.open.merging(more) { _, new in new }
    }

    @Test func `a redirection is no success and leads nowhere`() async throws {
        let receiver = try await WebhookReceiver { delivery, _ in
            delivery.path == "/hook" ? .status(307, ["location": "/elsewhere"]) : .status(204)
        }
        try await RunningNotifier.run { notifier in
            let webhook = try await notifier.webhook(receiver.url())
            try await notifier.createExam()
            try await until("the end of all attempts") {
                try await notifier.tasks(of: webhook).map(\.state) == [.failed]
            }
            #expect(receiver.deliveries(at: "/hook").count == 4)
            #expect(receiver.deliveries(at: "/elsewhere").isEmpty)
            let state = try await notifier.state(of: webhook)
            #expect(state.lastFailure?.status == 307)
            #expect(state.consecutiveFailures == 4)
        }
    }

    @Test func `a receiver that answers 410 gets nothing any more, and the owner is told`() async throws {
        let receiver = try await WebhookReceiver { _, _ in .status(410) }
        try await RunningNotifier.run { notifier in
            let webhook = try await notifier.webhook(receiver.url())
            try await notifier.createExam()
            try await until("the webhook is disabled") {
                try await notifier.webhooks.webhook(webhook.id)?.disabled != nil
            }
            try await notifier.webhook(receiver.url("/other"))
            try await notifier.createExam()
            try await until("an event passes it by") { !receiver.deliveries(at: "/other").isEmpty }
            #expect(receiver.deliveries(at: "/hook").count == 1)
            let messages = try await notifier.store.inbox(user: "zhang", cursor: nil, limit: 10).items
            #expect(messages.contains { $0.kind == .webhookDisabled && $0.subject == webhook.id })
            #expect(messages.contains { $0.detail.contains("410") })
        }
    }

    @Test func `a webhook whose receiver fails all the time is disabled, and the owner is told once`() async throws {
        let receiver = try await WebhookReceiver { _, _ in .status(500) }
        try await RunningNotifier.run(isRunning: false) { notifier in
            let webhook = try await notifier.webhook(receiver.url())
            let handler = try notifier.handler { configuration in
                (configuration.maxFailures, configuration.failureSpan) = (3, .zero)
            }
            let task = try await notifier.taskOfNewExam(webhook)
            for _ in 0..<2 {
                await #expect(throws: TaskFailure.self) {
                    try await handler.deliver(task, context: RunningNotifier.context)
                }
                #expect(try await notifier.webhooks.webhook(webhook.id)?.disabled == nil)
            }
            await #expect(throws: TaskFailure.self) {
                try await handler.deliver(task, context: RunningNotifier.context)
            }
            let disabled = try #require(try await notifier.webhooks.webhook(webhook.id)?.disabled)
            #expect(disabled.reason.contains("answered 500"))
            let messages = try await notifier.store.inbox(user: "zhang", cursor: nil, limit: 10).items
            #expect(messages.map(\.kind) == [.webhookDisabled])

            // What still waits is sent no more; enabled again, it begins anew.
            #expect(try await handler.deliver(task, context: RunningNotifier.context).outcome == .withheld)
            #expect(receiver.deliveries.count == 3)
            _ = try await notifier.webhooks.change(webhook.id, context: RunningNotifier.context) { $0.disabled = nil }
            #expect(try await notifier.state(of: webhook).consecutiveFailures == 0)
        }
    }

    @Test(arguments: [
        (49, 4000, false), (50, 3599, false), (50, 3600, true), (8, 5 * 86_400, true), (7, 5 * 86_400, false),
        (8, 5 * 86_400 - 1, false),
    ])
    func `many failures in a row, or few for days, make a webhook hopeless`(count: Int, seconds: Int, isSo: Bool) {
        #expect(WebhookConfiguration().isHopeless(failures: count, span: .seconds(seconds)) == isSo)
    }

    @Test func `a receiver that never answers holds up neither events nor other receivers`() async throws {
        let receiver = try await WebhookReceiver { delivery, _ in
            delivery.path == "/hang" ? .nothing : .status(204)
        }
        // More hang than there may be at a time in all, were it not for the limit of each.
        try await RunningNotifier.run(Self.settings(["WEBHOOK_TIMEOUT": "60", "WEBHOOK_CONCURRENCY": "6"])) {
            notifier in
            let hanging = try await notifier.webhook(receiver.url("/hang"))
            try await until("the limit") {
                try await notifier.context.queue.limits(type: WebhookTask.type).runningPerExam != nil
            }
            for _ in 0..<10 { try await notifier.createExam() }
            try await until("it hangs") { receiver.deliveries(at: "/hang").count == 4 }
            try await notifier.webhook(receiver.url("/quick"))
            for _ in 0..<20 { try await notifier.createExam() }
            try await until("the others arrive") { receiver.deliveries(at: "/quick").count == 20 }
            #expect(receiver.deliveries(at: "/hang").count == 4)
            #expect(try await notifier.tasks(of: hanging).count { $0.state == .running } == 4)
        }
    }

    @Test func `an answer that takes too long is a failure, one whose body has no end is none`() async throws {
        let receiver = try await WebhookReceiver { delivery, _ in
            delivery.path == "/hang" ? .nothing : .endless
        }
        try await RunningNotifier.run(Self.settings(["WEBHOOK_TIMEOUT": "0.3"])) { notifier in
            let hanging = try await notifier.webhook(receiver.url("/hang"))
            let endless = try await notifier.webhook(receiver.url("/endless"))
            try await notifier.createExam()
            try await until("both have ended") {
                let states = try await notifier.tasks(of: hanging) + notifier.tasks(of: endless)
                return states.map(\.state) == [.failed, .completed]
            }
            #expect(try await notifier.state(of: hanging).lastFailure?.reason == "no answer in time")
            #expect(try await notifier.state(of: hanging).consecutiveFailures == 4)
            #expect(try await notifier.state(of: endless).lastSuccess != nil)
        }
    }

    @Test func `without leave of the operator nothing is sent into a private network or without TLS`() async throws {
        let receiver = try await WebhookReceiver()
        for (settings, reason) in [
            (["WEBHOOK_ALLOW_HTTP": "yes"], WebhookAnswer.Fault.addressInvalid),
            (["WEBHOOK_ALLOW_PRIVATE": "yes"], .addressInvalid),
        ] {
            let strict = settings.merging(["WEBHOOK_RETRY_DELAY": "0.05"]) { first, _ in first }
            try await RunningNotifier.run(strict) { notifier in
                // As if it had been made while that was allowed.
                let webhook = try await notifier.webhook(receiver.url())
                try await notifier.createExam()
                try await until("a failure") { try await notifier.state(of: webhook).lastFailure != nil }
                #expect(try await notifier.state(of: webhook).lastFailure?.reason == reason.rawValue)
            }
        }
        #expect(receiver.deliveries.isEmpty)
    }

    /// What is done to a webhook or its owner after the event and before its delivery.
    enum Change: CaseIterable, Sendable {
        case shareTakenBack, ownerDemoted, ownerDisabled, ownerRevoked, webhookDisabled, webhookRemoved, typeDropped
        case nothing
    }

    @Test(arguments: Change.allCases)
    func `what its owner may not see, or does not want, at the time of delivery is not sent`(change: Change)
        async throws
    {
        let receiver = try await WebhookReceiver()
        try await RunningNotifier.run(isRunning: false) { notifier in
            let author = Author(RunningNotifier.context)
            if change != .ownerRevoked {
                try await notifier.accounts.create(
                    User(id: "wang", role: .teacher, passwordHash: "none", createdAt: .now), by: author)
            }
            let webhook = try await notifier.webhook(receiver.url(), [ExamUpdated.type], owner: "wang")
            let exam = try await notifier.createExam()
            _ = try await notifier.store.share(exam, with: "wang", .read, context: RunningNotifier.context)
            let task = try await notifier.task(webhook, exam, ExamUpdated.type)
            let (accounts, webhooks) = (notifier.accounts, notifier.webhooks)
            switch change {
            case .shareTakenBack:
                _ = try await notifier.store.share(exam, with: "wang", nil, context: RunningNotifier.context)
            case .ownerDemoted: _ = try await accounts.change("wang", by: author) { $0.role = .marker }
            case .ownerDisabled: _ = try await accounts.change("wang", by: author) { $0.disabledAt = .now }
            case .ownerRevoked: _ = try await accounts.revokeAll(of: "wang", by: author)
            case .webhookDisabled:
                _ = try await webhooks.disable(webhook.id, reason: "test", context: RunningNotifier.context)
            case .webhookRemoved: try await webhooks.remove(webhook.id, context: RunningNotifier.context)
            case .typeDropped:
                _ = try await webhooks.change(webhook.id, context: RunningNotifier.context) {
                    $0.eventTypes = [ExamDeleted.type]
                }
            case .nothing: break
            }
            let report = try await notifier.handler().deliver(task, context: RunningNotifier.context)
            #expect(report.outcome == (change == .nothing ? .delivered : .withheld))
            #expect(receiver.deliveries.count == (change == .nothing ? 1 : 0))
        }
    }

    @Test func `a notifier that is killed between event and delivery leaves the delivery to the next`() async throws {
        let isUp = Flag()
        let receiver = try await WebhookReceiver { _, _ in isUp.value ? .status(200) : .nothing }
        try await RunningNotifier.run(isRunning: false) { notifier in
            let webhook = try await notifier.webhook(receiver.url())
            let first = try NotifierProcess(notifier.redis)
            try await notifier.createExam()
            try await until("the first attempt") { !receiver.deliveries.isEmpty }
            first.process.end(signal: SIGKILL)
            isUp.value = true
            let second = try NotifierProcess(notifier.redis)
            try await until("another attempt succeeds") { try await notifier.state(of: webhook).lastSuccess != nil }
            second.process.end(signal: SIGTERM)
            #expect(receiver.deliveries.count >= 2)
            #expect(Set(receiver.deliveries.map(\.id)).count == 1)
            #expect(receiver.deliveries.allSatisfy { $0.isSigned(with: webhook.secret) })
            #expect(try await notifier.tasks(of: webhook).count == 1)
        }
    }
}
