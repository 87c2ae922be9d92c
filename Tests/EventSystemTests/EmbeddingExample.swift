// example:begin
import EventSystem

struct PaperArrived: SystemEvent {
    static let eventType = "paper.arrived"
    var examID: String?
    var pages: Int
}

struct MeasureInk: SystemTask {
    static let taskType = "measure_ink"
    var paper: String
    var taskID: String { "ink:\(paper)" }
}

func embed(redis: String) async throws -> Int {
    try await withEventSystem(
        redis: redis, workers: 4,
        handlers: [
            .event(PaperArrived.self) { paper, delivery in
                print("\(paper.pages) pages of exam \(delivery.examID ?? "none"), try \(delivery.attempt)")
            },
            .event(type: "exam.created") { delivery in print("a new exam: \(delivery.subject)") },
            .task(MeasureInk.self) { task, run in
                await run.progress(0.5, "half of it")
                return task.paper.count
            },
        ]
    ) { system in
        let exam = try await system.publishExamCreated(
            title: "Mathematics, grade 7", owner: "li", questions: 20, maxScore: 100)
        try await system.publish(PaperArrived(examID: exam.examID, pages: 2))

        // Read by an ocr-worker; the scan is kept under the SHA-256 of its bytes.
        let scan = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        try await system.submitOCRTask(sheetID: "\(exam.examID ?? "").sheet-1", blob: scan)

        let task = try await system.submit(MeasureInk(paper: "sheet-1"), priority: .high)
        let ink = try await system.result(of: task, as: Int.self)

        let status = try await system.systemStatus()
        let health = await system.healthCheck()
        print("\(status.partitions.count) partitions, healthy: \(health.isHealthy), ink: \(ink)")
        return ink
    }
}
// example:end
