package import Domain

/// Finds how well the marking of an exam went, one sheet at a time. Memory grows with questions and with people who
/// mark, not with sheets.
package struct QualityTally: Sendable {
    private struct MarkerTally {
        var marks = 0
        var questions: Set<Int> = []
        var shares = 0.0
        var squares = 0.0
    }

    private var report: QualityReport
    private var counts = SheetCounts()
    private var places: [Int: Int] = [:]
    private var milliseconds = 0.0
    private var markers: [String: MarkerTally] = [:]

    package init(exam: Exam) {
        report = QualityReport(examID: exam.id)
        for question in exam.questions {
            places[question.number] = report.questions.count
            report.questions.append(.init(question: question.number))
        }
    }

    package mutating func add(_ sheet: Sheet) {
        counts.add(sheet.status)
        report.sheets.flags.count(sheet.flags)
        if let error = sheet.error { report.sheets.errors[error.code.rawValue, default: 0] += 1 }
        for reading in sheet.pages.lazy.compactMap(\.reading) { add(reading) }
        guard sheet.score != nil else { return }
        report.sheets.marked += 1
        for mark in sheet.marks where !mark.flags.contains(.missingPage) { add(mark) }
    }

    private mutating func add(_ reading: PageReading) {
        report.pages.read += 1
        report.pages.flags.count(reading.flags)
        milliseconds += reading.milliseconds
        for field in reading.fields.values {
            report.fields.read += 1
            report.fields.flags.count(field.flags)
            if field.flags.isEmpty { report.fields.unflagged += 1 }
            if field.flags.contains(where: { $0 != .blank }) { report.fields.doubtful += 1 }
        }
    }

    private mutating func add(_ mark: Mark) {
        guard let place = places[mark.question] else { return }
        if mark.needsReview { report.questions[place].flagged += 1 }
        guard let score = mark.score else {
            report.questions[place].undecided += 1
            return
        }
        report.questions[place].marks += 1
        guard mark.by != "machine" else {
            report.questions[place].byMachine += 1
            return
        }
        report.questions[place].byPeople += 1
        var marker = markers[mark.by] ?? MarkerTally()
        let share = mark.max > 0 ? score / mark.max : 0
        marker.marks += 1
        marker.questions.insert(mark.question)
        marker.shares += share
        marker.squares += share * share
        markers[mark.by] = marker
    }

    package var quality: QualityReport {
        var report = report
        report.sheets.total = counts.total
        report.sheets.uploaded = counts.uploaded
        report.sheets.recognized = counts.recognized
        report.sheets.graded = counts.graded
        report.sheets.review = counts.review
        report.sheets.failed = counts.failed
        report.pages.meanMilliseconds = report.pages.read > 0 ? milliseconds / Double(report.pages.read) : nil
        report.fields.unflaggedShare = Self.share(report.fields.unflagged, of: report.fields.read)
        report.fields.doubtfulShare = Self.share(report.fields.doubtful, of: report.fields.read)
        for index in report.questions.indices {
            let question = report.questions[index]
            report.questions[index].flaggedShare = Self.share(
                question.flagged, of: question.marks + question.undecided)
            report.questions[index].machineShare = Self.share(question.byMachine, of: question.marks)
            report.questions[index].peopleShare = Self.share(question.byPeople, of: question.marks)
        }
        report.markers = markers.sorted { $0.key < $1.key }.map { user, tally in
            let mean = tally.shares / Double(tally.marks)
            return QualityReport.Marker(
                user: user, marks: tally.marks, questions: tally.questions.sorted(), meanShare: mean,
                shareDeviation: max(0, tally.squares / Double(tally.marks) - mean * mean).squareRoot())
        }
        return report
    }

    private static func share(_ part: Int, of whole: Int) -> Double? {
        whole > 0 ? Double(part) / Double(whole) : nil
    }
}
