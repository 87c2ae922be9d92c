internal import Domain
internal import SheetSimulation

extension DemoRun {
    /// A usual resolution of scanners with a document feeder.
    private static let dpi = 200
    /// Sheets drawn at a time.
    private static let drawnAtOnce = 2

    /// Uploads all sheets as one file and waits for their marks. The times leave out the making of the file.
    func run(_ format: BoundScans.Format, of exam: Exam, correlationID: String) async throws -> DemoReport {
        var simulation = SimulatedSheets(exam: exam, seed: seed, formats: [.jpeg], dpi: Double(Self.dpi))
        // Feeders write grey; and the TIFF that is made here is.
        simulation.rates.colour = 0
        let (file, students) = try await bind(simulation, as: format)
        let started = ContinuousClock.now
        let answer = try await client.upload(file, to: exam.id, correlationID: correlationID)
        let answered = started.duration(to: .now)
        guard answer.sheets.count == students.count else {
            throw CommandFailure("a file of \(students.count) pages became \(answer.sheets.count) sheets")
        }
        let sheets = try await settled(exam: exam.id)
        var report = DemoReport(sheets: self.students, correlationID: correlationID, exam: exam.id)
        report.seconds = started.duration(to: .now).inSeconds
        report.fileBytes = file.bytes.count
        report.answerSeconds = answered.inSeconds
        report.uploadSeconds = answered.inSeconds
        let owners = Dictionary(zip(answer.sheets.map(\.id), students), uniquingKeysWith: { first, _ in first })
        try await compare(sheets, owners: owners, simulation, in: &report)
        return report
    }

    /// - Returns: the file, and the student of each of its pages.
    private func bind(
        _ simulation: SimulatedSheets, as format: BoundScans.Format
    ) async throws -> (file: UploadFile, students: [Int]) {
        var bound = BoundScans(format, dpi: Self.dpi)
        var owners: [Int] = []
        for start in stride(from: 0, to: students, by: Self.drawnAtOnce) {
            let indexes = start..<min(start + Self.drawnAtOnce, students)
            let sheets = try await withThrowingTaskGroup(of: (Int, SimulatedSheet).self) { group in
                for index in indexes { group.addTask { (index, try simulation.sheet(index)) } }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            for index in indexes {
                for scan in sheets[index]?.files ?? [] {
                    try bound.append(jpeg: scan.bytes, name: scan.name)
                    owners.append(index)
                }
            }
        }
        return (UploadFile(name: "class.\(format.rawValue)", bytes: bound.finish()), owners)
    }
}
