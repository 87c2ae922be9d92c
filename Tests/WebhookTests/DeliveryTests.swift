import Domain
import ExamStore
import Foundation
import TaskQueue
import Testing

@testable import Webhooks

/// Events on their way to real receivers.
@Suite(.timeLimit(.minutes(5))) struct DeliveryTests {
    @Test func `an event arrives as signed CloudEvents JSON, once`() async throws {
        let receiver = try await WebhookReceiver()
        try await RunningNotifier.run { notifier in
            let webhook = try await notifier.webhook(receiver.url())
            let exam = try await notifier.createExam()
            try await until("a delivery") { !receiver.deliveries.isEmpty }
            try await until("the end of its task") {
                try await notifier.tasks(of: webhook).map(\.state) == [.completed]
            }
            #expect(try await notifier.state(of: webhook).lastSuccess != nil)
            let delivery = try #require(receiver.deliveries.first)
            #expect(delivery.isSigned(with: webhook.secret))
            #expect(!delivery.isSigned(with: .make()))
            #expect(delivery.headers["content-type"] == "application/cloudevents+json")
            #expect(delivery.headers["host"] == "127.0.0.1:\(receiver.port)")
            #expect(delivery.event["specversion"] as? String == "1.0")
            #expect(delivery.event["type"] as? String == "exam.created")
            #expect(delivery.event["examid"] as? String == exam.rawValue)
            #expect(delivery.event["id"] as? String == delivery.id)
            #expect(receiver.deliveries.count == 1)
        }
    }

    @Test func `an event goes to the webhooks that ask for its type and exam, of owners who may see it, alone`()
        async throws
    {
        let receiver = try await WebhookReceiver()
        try await RunningNotifier.run { notifier in
            let other = ExamID.make()
            try await notifier.webhook(receiver.url("/own"))
            try await notifier.webhook(receiver.url("/admin"), owner: "root", role: .admin)
            try await notifier.webhook(receiver.url("/stranger"), owner: "li")
            try await notifier.webhook(receiver.url("/marker"), role: .marker)
            try await notifier.webhook(receiver.url("/type"), [ExamDeleted.type])
            try await notifier.webhook(receiver.url("/exam"), [ExamUpdated.type], exams: [other])
            let exam = try await notifier.createExam()
            try await notifier.createExam(other)
            _ = try await notifier.store.share(exam, with: "wang", .read, context: RunningNotifier.context)
            _ = try await notifier.store.share(other, with: "wang", .read, context: RunningNotifier.context)
            try await until("the others") { receiver.deliveries.count >= 5 }
            try await notifier.store.delete(exam, context: RunningNotifier.context)
            try await until("the last one") { !receiver.deliveries(at: "/type").isEmpty }
            func exams(_ path: String) -> Set<String> {
                Set(receiver.deliveries(at: path).compactMap { $0.event["examid"] as? String })
            }
            #expect(exams("/own") == [exam.rawValue, other.rawValue])
            #expect(exams("/admin") == [exam.rawValue, other.rawValue])
            #expect(exams("/type") == [exam.rawValue])
            #expect(exams("/exam") == [other.rawValue])
            #expect(receiver.deliveries.count == 6)
        }
    }

    @Test func `a receiver that fails gets the event again with the same id, until it takes it`() async throws {
        let receiver = try await WebhookReceiver { _, earlier in
            switch earlier {
            case 0: .status(500)
            case 1: .close
            default: .status(200)
            }
        }
        try await RunningNotifier.run { notifier in
            let webhook = try await notifier.webhook(receiver.url())
            try await notifier.createExam()
            try await until("success") { try await notifier.state(of: webhook).lastSuccess != nil }
            #expect(receiver.deliveries.count == 3)
            #expect(Set(receiver.deliveries.map(\.id)).count == 1)
            #expect(Set(receiver.deliveries.map(\.body)).count == 1)
            #expect(receiver.deliveries.allSatisfy { $0.isSigned(with: webhook.secret) })
            let state = try await notifier.state(of: webhook)
            #expect(state.consecutiveFailures == 0)
            #expect(state.failingSince == nil)
            #expect(state.lastFailure?.reason == WebhookAnswer.Fault.closed.rawValue)
        }
    }
}
