import Domain
import ExamStore
import Foundation
import TestSupport
import Testing

/// The promise of the whole: no mark lost, none doubled, whatever is killed. One system at a time, since each takes
/// all cores.
@Suite(.serialized)
struct EndToEndTests {
    private static let services = [
        "ocr-worker", "event-router", "grading-worker", "gateway", "analytics", "notifier", "batch-worker",
    ]

    @Test("forty sheets are each marked exactly once although every service is killed while they are uploaded")
    func everyServiceKilledOnce() async throws {
        let system = try await RunningSystem()
        let demo = try RunningProcess(
            "zhiyue",
            [
                "demo", "--sheets", "40", "--questions", "12", "--seed", "7", "--json", "--url", system.url, "--data",
                system.directory.path,
            ])
        for (index, service) in Self.services.enumerated() {
            try await eventually("\(index * 4 + 2) sheets are marked; \(demo.errors)", within: 120) {
                let marked = try await system.events(types: [GradingCompleted.type])
                return Set(marked.map(\.subject)).count >= index * 4 + 2 || !demo.isRunning
            }
            #expect(demo.isRunning, "the upload was over before \(service) was killed")
            let victim = try #require(system.pids(of: service).first, "\(service) does not run")
            kill(victim, SIGKILL)
            try await eventually("\(service) runs again", within: 30) {
                system.pids(of: service).contains { $0 != victim }
            }
        }
        #expect(try await demo.end(within: 240) == 0, "\(demo.output)\(demo.errors)")
        let figures = try DemonstrationFigures(closingLineOf: demo.output)
        #expect(figures.graded == 40)
        #expect(figures.wrong == 0)

        try await expectEachSheetMarkedOnce(system, sheets: 40, correlationID: CorrelationID(figures.correlationID))
        try await expectCounted(system, exam: ExamID(figures.examID), sheets: 40)
        #expect(try await system.stop() == 0)
    }

    @Test("two systems on one Redis share the work, and each sheet is marked once")
    func twoSystemsOnOneRedis() async throws {
        let redis = try RedisServer()
        let first = try await RunningSystem(redisURL: redis.url)
        let second = try await RunningSystem(directory: first.directory, redisURL: redis.url)
        let output = try await first.demonstration(sheets: 24, questions: 12, seed: 3)
        let figures = try DemonstrationFigures(closingLineOf: output)
        #expect(figures.graded == 24)
        #expect(figures.wrong == 0)
        let correlationID = CorrelationID(figures.correlationID)
        try await expectEachSheetMarkedOnce(first, sheets: 24, correlationID: correlationID)
        let started = try await first.events(types: [OCRStarted.type], correlationID: correlationID)
        let workers = try Set(started.map { try $0.decode(OCRStarted.self).worker })
        #expect(workers.count == 2, "only \(workers) read sheets")
        #expect(try await second.stop() == 0)
        #expect(try await first.stop() == 0)
    }

    /// Every page was read once and every sheet marked once for each state it was in.
    private func expectEachSheetMarkedOnce(
        _ system: RunningSystem, sheets: Int, correlationID: CorrelationID
    ) async throws {
        let events = try await system.events(correlationID: correlationID)
        let read = try events.filter { $0.type == OCRCompleted.type }.map { try $0.decode(OCRCompleted.self) }
        let uploaded = events.filter { $0.type == SheetUploaded.type }.map(\.subject)
        #expect(Set(uploaded).count == uploaded.count, "a sheet was recorded twice")
        #expect(read.map(\.uploadedAs.rawValue).sorted() == uploaded.sorted(), "a page was not read exactly once")
        let marked = try events.filter { $0.type == GradingCompleted.type }.map { try $0.decode(GradingCompleted.self) }
        let states = marked.map { "\($0.sheetID) \($0.readingVersion) \($0.keyVersion)" }
        #expect(Set(states).count == states.count, "a sheet was marked twice")
        #expect(Set(marked.map(\.sheetID)).count == sheets)
    }

    /// Analytics has counted every sheet once.
    private func expectCounted(_ system: RunningSystem, exam: ExamID, sheets: Int) async throws {
        let counted = { () async throws -> Int in
            try await system.withStore { try await $0.statistics(exam: exam).count }
        }
        try await eventually("analytics has counted \(sheets) sheets", within: 30) { try await counted() >= sheets }
        #expect(try await counted() == sheets)
    }
}
