internal import Domain
internal import FoundationEssentials
internal import Grading
internal import SheetSimulation

/// The demonstration: an exam, a class of simulated students, their scans through the REST API, and the comparison of
/// everything that comes back with the truth.
struct DemoRun: Sendable {
    let client: APIClient
    let students: Int
    let questions: Int
    let seed: UInt64
    /// All sheets in one file of this kind; nil for a file a sheet or a page.
    var oneFile: BoundScans.Format?
    let progress: DemoProgress

    /// Uploads under way at a time; making the scans of one takes about as long as reading them.
    private static let uploadsAtOnce = 2
    /// Given up when nothing has changed for so long.
    private static let patience: Duration = .seconds(120)

    func run() async throws -> DemoReport {
        let started = ContinuousClock.now
        let correlationID = CorrelationID.make().rawValue
        let draft = SimulatedExam.make(questions: questions, seed: seed)
        let created = try await client.createExam(draft)
        // The layout follows from the identifier and the questions alone.
        let exam = Exam(
            id: created.id, draft: draft, owner: "demo", createdAt: .now, updatedAt: .now, version: 1, keyVersion: 1)
        let simulation = SimulatedSheets(exam: exam, seed: seed)
        progress.begin(exam: created.id, sheets: students, correlationID: correlationID)
        if let oneFile {
            return try await run(oneFile, of: exam, correlationID: correlationID)
        }

        let owners = try await withThrowingTaskGroup(of: [SheetID: Int].self) { group in
            group.addTask { try await upload(simulation, to: created.id, correlationID: correlationID) }
            group.addTask {
                // Ends only by cancellation or failure; shows what the system does meanwhile.
                while true {
                    try await Task.sleep(for: .milliseconds(500))
                    progress.show(try await listing(of: created.id).map(\.status), of: students)
                }
            }
            let owners = try await group.next() ?? [:]
            group.cancelAll()
            return owners
        }
        let uploaded = started.duration(to: .now)
        let sheets = try await settled(exam: created.id)
        let finished = started.duration(to: .now)

        var report = DemoReport(sheets: students, correlationID: correlationID, exam: created.id)
        report.uploadSeconds = uploaded.inSeconds
        report.seconds = finished.inSeconds
        try await compare(sheets, owners: owners, simulation, in: &report)
        return report
    }

    /// Adds what became of each sheet, and whose it is, to the report.
    func compare(
        _ sheets: [SheetPageAnswer.Item], owners: [SheetID: Int], _ simulation: SimulatedSheets,
        in report: inout DemoReport
    ) async throws {
        for item in sheets {
            let sheet = try await client.sheet(item.id)
            guard let index = owners[item.id] else {
                report.problems.append("sheet \(item.id) was never uploaded")
                continue
            }
            report.add(sheet, truth: simulation.student(index))
        }
    }

    /// - Returns: which student each uploaded page belongs to.
    private func upload(
        _ simulation: SimulatedSheets, to exam: ExamID, correlationID: String
    ) async throws -> [SheetID: Int] {
        try await withThrowingTaskGroup(of: (Int, [SheetID]).self) { group in
            var owners: [SheetID: Int] = [:]
            for index in 0..<students {
                if index >= Self.uploadsAtOnce, let (owner, ids) = try await group.next() {
                    for id in ids { owners[id] = owner }
                }
                group.addTask {
                    var ids: [SheetID] = []
                    for file in try simulation.sheet(index).files {
                        let answer = try await client.upload(
                            UploadFile(name: file.name, bytes: file.bytes), to: exam, correlationID: correlationID)
                        ids += answer.sheets.map(\.id)
                    }
                    return (index, ids)
                }
            }
            for try await (owner, ids) in group {
                for id in ids { owners[id] = owner }
            }
            return owners
        }
    }

    /// Waits until every sheet has its marks or has failed, or nothing moves any more.
    func settled(exam: ExamID) async throws -> [SheetPageAnswer.Item] {
        var last: [SheetStatus] = []
        var lastChange = ContinuousClock.now
        while true {
            let sheets = try await listing(of: exam)
            let statuses = sheets.map(\.status)
            progress.show(statuses, of: students)
            let isSettled = sheets.count == students && statuses.allSatisfy(\.isFinal)
            if isSettled { return sheets }
            if statuses != last {
                last = statuses
                lastChange = .now
            } else if lastChange.duration(to: .now) > Self.patience {
                return sheets
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func listing(of exam: ExamID) async throws -> [SheetPageAnswer.Item] {
        var items: [SheetPageAnswer.Item] = []
        var cursor: String?
        repeat {
            let page = try await client.sheets(of: exam, cursor: cursor)
            items += page.items
            cursor = page.nextCursor
        } while cursor != nil
        return items
    }
}

extension SheetStatus {
    /// True when nothing more happens without people.
    fileprivate var isFinal: Bool {
        switch self {
        case .graded, .review, .failed: true
        case .uploaded, .recognized: false
        }
    }
}

extension Duration {
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
