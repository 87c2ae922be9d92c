import Domain
import Foundation
import ServiceKit
import TaskQueue
import Testing

@testable import Gateway

/// What `/ws` tells of tasks.
@Suite struct RealtimeTaskTests {
    @Test func `the progress of an exam's tasks is pushed to those who follow the exam's progress`() async throws {
        try await RunningGateway.run { gateway in
            let queue = gateway.context.queue
            let follower = try await gateway.socket()
            try await gateway.subscribe(follower, type: "progress", exams: ["a"])
            let other = try await gateway.socket()
            try await gateway.subscribe(other, type: "progress", exams: ["b"])
            for exam: ExamID in ["a", "b"] {
                _ = try await queue.submit(
                    BatchTask(kind: .remark, examID: exam, keyVersion: 1), examID: exam,
                    context: EventContext(source: "/test", correlationID: .make()))
            }
            let claims = try await queue.claim(BatchTask.type, count: 2, worker: "w").tasks
            let mine = try #require(claims.first { $0.origin.examID == "a" })
            let theirs = try #require(claims.first { $0.origin.examID == "b" })
            // Again and again, since the gateway may have only just begun to listen to tasks.
            let working = Task {
                while !Task.isCancelled {
                    _ = try await queue.heartbeat(
                        BatchTask.type, [.init(id: mine.id, fence: mine.fence, progress: (0.5, "half"))])
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
            defer { working.cancel() }
            let heard = try await follower.message()
            #expect(heard["type"] as? String == "task")
            #expect(heard["id"] as? String == "s")
            let task = try #require(heard["task"] as? [String: Any])
            #expect(task["id"] as? String == mine.id.rawValue)
            #expect(task["type"] as? String == "batch_processing")
            #expect(task["exam_id"] as? String == "a")
            #expect(task["state"] as? String == "running")
            #expect(task["progress"] as? Double == 0.5)
            #expect(task["message"] as? String == "half")
            _ = try await queue.heartbeat(
                BatchTask.type, [.init(id: theirs.id, fence: theirs.fence, progress: (0.25, ""))])
            let foreign = try #require(try await other.message()["task"] as? [String: Any])
            #expect(foreign["exam_id"] as? String == "b")
        }
    }
}
