import Domain
import Foundation
import SheetSimulation
import TestSupport
import Testing

extension EndToEndTests {
    @Test("a PDF, a TIFF and a ZIP become a sheet a page, all marked right, and tell how far they are")
    func filesOfManyPages() async throws {
        let system = try await RunningSystem()
        let client = RESTClient(url: system.url, token: try await system.token(user: "teacher-1", role: "teacher"))
        let exam = try await create(examOfFive, by: client)
        var rates = SimulationRates.clean
        rates.colour = 0
        let scans = SimulatedSheets(exam: exam, seed: 31, rates: rates, formats: [.jpeg], dpi: 150)
        var students: [SimulatedSheet] = []
        var batches: [String: Int] = [:]
        for (format, count) in [(BoundScans.Format.pdf, 12), (.tiff, 6), (.zip, 6)] {
            var file = BoundScans(format, dpi: 150)
            for index in students.count..<students.count + count {
                let sheet = try scans.sheet(index)
                let page = try #require(sheet.files.first)
                try file.append(jpeg: page.bytes, name: page.name)
                students.append(sheet)
            }
            let answer = try await client.upload([("class.\(format.rawValue)", file.finish())], to: exam.id)
            #expect(answer.status == 202, "\(answer.text)")
            let upload: RESTClient.Upload = try answer.decode()
            #expect(upload.sheets.count == count)
            batches[try #require(upload.batches?.first).id] = count
            if format == .pdf {
                let worker = try #require(system.pids(of: "ocr-worker").first)
                try await eventually("a page is read", within: 60) {
                    try await !system.events(types: [OCRCompleted.type]).isEmpty
                }
                kill(worker, SIGKILL)
            }
        }
        try await eventually("every file is marked", within: 120) {
            try await system.events(types: [BatchCompleted.type]).count == batches.count
        }
        try await expectResults(of: exam, students: students, client)
        #expect(try await sheets(of: exam.id, client).allSatisfy { $0.status == .graded })

        let completed = try await system.events(types: [BatchCompleted.type]).map { try $0.decode(BatchCompleted.self) }
        #expect(Dictionary(uniqueKeysWithValues: completed.map { ($0.batchID, $0.total) }) == batches)
        let progress = try await system.events(types: [BatchProgress.type]).map { try $0.decode(BatchProgress.self) }
        for (batch, total) in batches {
            let done = progress.filter { $0.batchID == batch && $0.total == total }.map(\.done)
            #expect(!done.isEmpty && done == Array(Set(done)).sorted(), "\(done)")
        }
        #expect(try await system.stop() == 0)
    }
}
