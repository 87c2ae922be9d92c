import Domain
import Foundation
import NIOHTTP1
import SheetSimulation
import TestSupport
import Testing

extension EndToEndTests {
    /// The system with a reader that obeys the orders of `HostileFiles/order(_:in:)` and reads all else.
    private func systemWithHostileReader(workers: Int) async throws -> RunningSystem {
        try await RunningSystem(environment: [
            "ZHIYUE_READER": RunningProcess.folder.appendingPathComponent("HostileReader").path,
            "MAX_WORKERS": "\(workers)", "MAX_RETRIES": "1", "RETRY_DELAY": "0.1", "TASK_TIMEOUT": "12",
        ])
    }

    @Test("hostile files fail alone, each with its own code, and the hundred good sheets around them are marked right")
    func hostileFiles() async throws {
        let system = try await systemWithHostileReader(workers: 2)
        let client = RESTClient(url: system.url, token: try await system.token(user: "teacher-1", role: "teacher"))
        let exam = try await create(examOfFive, by: client)
        let scans = SimulatedSheets(exam: exam, seed: 21, rates: .clean, formats: [.jpeg], dpi: 110)
        let students = try (0..<100).map { try scans.sheet($0) }
        var files = students.flatMap { $0.files.map { ($0.name, $0.bytes) } }
        let first: RESTClient.Upload = try await client.upload([files[0]], to: exam.id).decode()
        try await eventually("the first sheet is marked", within: 30) {
            try await sheets(of: exam.id, client).first?.status == .graded
        }
        let services = servicePIDs(of: system)
        let readers = system.children(of: try #require(system.pids(of: "ocr-worker").first))
        #expect(!readers.isEmpty && first.sheets.count == 1)

        let refused = try refusedFiles(scans)
        let failing = try failingFiles(scans)
        for (index, file) in (refused + failing).enumerated() {
            files.insert((file.name, file.bytes), at: 1 + index * (files.count - 2) / (refused.count + failing.count))
        }
        let answer = try await client.upload(files, to: exam.id)
        #expect(answer.status == 202, "\(answer.text)")
        let upload: RESTClient.Upload = try answer.decode()
        let refusals = Dictionary(uniqueKeysWithValues: (upload.rejected ?? []).map { ($0.file, $0.code) })
        #expect(refusals == Dictionary(uniqueKeysWithValues: refused.map { ($0.name, $0.code) }))

        let count = students.count + failing.count
        try await eventually("every sheet is marked or has failed", within: 240) {
            try await sheets(of: exam.id, client).count { $0.status != .uploaded && $0.status != .recognized } == count
        }
        let names = Dictionary(uniqueKeysWithValues: upload.sheets.map { ($0.id, $0.file) })
        let failed = try await sheets(of: exam.id, client).filter { $0.status == .failed }
        let codes = failed.map { (names[$0.id] ?? "", $0.error?.code.rawValue ?? "") }
        #expect(
            Dictionary(uniqueKeysWithValues: codes)
                == Dictionary(uniqueKeysWithValues: failing.map { ($0.name, $0.code) })
        )
        try await expectResults(of: exam, students: students, client)

        #expect(servicePIDs(of: system) == services, "a service died of a file")
        let now = system.children(of: try #require(system.pids(of: "ocr-worker").first))
        #expect(now.count <= 2 && Set(now) != Set(readers), "\(readers) \(now)")
        #expect(try await system.stop() == 0)
    }

    @Test("cancelling the task of a page that hangs ends its reader and frees the place")
    func forcedCancellation() async throws {
        let system = try await systemWithHostileReader(workers: 1)
        let client = RESTClient(url: system.url, token: try await system.token(user: "teacher-1", role: "teacher"))
        let exam = try await create(examOfFive, by: client)
        let scans = SimulatedSheets(exam: exam, seed: 22, rates: .clean, formats: [.jpeg], dpi: 110)
        let image = try #require(try scans.sheet(0).files.first).bytes
        let hanging: RESTClient.Upload = try await client.upload(
            [("hang.jpg", HostileFiles.order("hang", in: image))], to: exam.id
        ).decode()
        let task = try #require(hanging.sheets.first).taskID
        let worker = try #require(system.pids(of: "ocr-worker").first)
        try await eventually("a reader hangs", within: 30) {
            system.children(of: worker).contains { isAsleep($0) }
        }
        let reader = try #require(system.children(of: worker).first)
        let waiting: RESTClient.Upload = try await client.upload([("good.jpg", image)], to: exam.id).decode()

        #expect(try await client.send(.POST, "/api/tasks/\(task)/cancel").status == 202)
        let state = try await client.send(.GET, "/api/tasks/\(task)").text
        #expect(state.contains("cancel"), "\(state)")
        // Long before the reader would have been given up.
        try await eventually("the reader has ended", within: 8) { !system.children(of: worker).contains(reader) }
        try await eventually("the page behind it is marked", within: 30) {
            try await sheets(of: exam.id, client).first { $0.id == waiting.sheets.first?.id }?.status == .graded
        }
        try await eventually("the task is cancelled", within: 10) {
            try await client.send(.GET, "/api/tasks/\(task)").text.contains("\"cancelled\"")
        }
        #expect(system.pids(of: "ocr-worker") == [worker])
        #expect(try await system.stop() == 0)
    }

    private struct HostileFile {
        let name: String
        let bytes: [UInt8]
        /// What it must fail with.
        let code: String
    }

    /// What the gateway sees through while the sender waits.
    private func refusedFiles(_ scans: SimulatedSheets) throws -> [HostileFile] {
        let image = try #require(try scans.sheet(200).files.first).bytes
        return [
            HostileFile(name: "empty.jpg", bytes: [], code: "empty"),
            HostileFile(name: "huge.png", bytes: HostileFiles.png(claiming: 60_000, 60_000), code: "too_large"),
            HostileFile(
                name: "bomb.zip", bytes: HostileFiles.zip(unpackedBytes: 200 << 20), code: "archive_too_large"),
            HostileFile(name: "notes.jpg", bytes: Array("these are notes".utf8), code: "not_an_image"),
            HostileFile(
                name: "cut.png", bytes: Array(HostileFiles.png(width: 9, height: 9).prefix(20)), code: "damaged"),
            HostileFile(name: "start.jpg", bytes: Array(image.prefix(16)), code: "damaged"),
        ]
    }

    /// What only shows when it is read.
    private func failingFiles(_ scans: SimulatedSheets) throws -> [HostileFile] {
        var uncompressed = scans
        uncompressed.formats = [.tiff]
        let tiff = try #require(try uncompressed.sheet(201).files.first).bytes
        let image = try #require(try scans.sheet(202).files.first).bytes
        return [
            HostileFile(name: "black.png", bytes: HostileFiles.png(width: 10_000, height: 10_000), code: "blank_page"),
            HostileFile(
                name: "deep.png", bytes: HostileFiles.png(width: 10_500, height: 10_500, isDeep: true),
                code: "blank_page"),
            HostileFile(name: "cut.tif", bytes: Array(tiff.prefix(tiff.count / 2)), code: "damaged_image"),
            HostileFile(name: "forms.pdf", bytes: EndlessPDF.bytes, code: "timed_out"),
            HostileFile(name: "allocate.jpg", bytes: HostileFiles.order("allocate", in: image), code: "reader_crashed"),
            HostileFile(name: "trap.jpg", bytes: HostileFiles.order("trap", in: image), code: "reader_crashed"),
            HostileFile(name: "hang.jpg", bytes: HostileFiles.order("hang", in: image), code: "timed_out"),
            HostileFile(name: "spin.jpg", bytes: HostileFiles.order("spin", in: image), code: "timed_out"),
        ]
    }

    private func servicePIDs(of system: RunningSystem) -> [String: [pid_t]] {
        let names = [
            "ocr-worker", "event-router", "grading-worker", "gateway", "analytics", "notifier", "batch-worker",
        ]
        return Dictionary(uniqueKeysWithValues: names.map { ($0, system.pids(of: $0).sorted()) })
    }

    private func isAsleep(_ process: pid_t) -> Bool {
        let place = try? String(contentsOfFile: "/proc/\(process)/wchan", encoding: .utf8)
        return place?.contains("nanosleep") == true
    }
}
