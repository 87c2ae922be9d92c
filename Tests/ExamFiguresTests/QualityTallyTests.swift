import Domain
import ExamFigures
import Foundation
import Testing

@Suite struct QualityTallyTests {
    private static func quality(_ sheets: [Sheet]) -> QualityReport {
        var tally = QualityTally(exam: MadeSheets.exam)
        for sheet in sheets { tally.add(sheet) }
        return tally.quality
    }

    @Test func `people who marked are told apart, with number, mean and spread`() throws {
        let sheets = MadeSheets.random(101, seed: 4)
        let quality = Self.quality(sheets)
        #expect(quality.markers.map(\.user) == ["wang", "zhao"])
        for marker in quality.markers {
            let shares = sheets.flatMap(\.marks).filter { $0.by == marker.user }.map { ($0.score ?? .nan) / $0.max }
            let mean = shares.reduce(0, +) / Double(shares.count)
            let variance = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(shares.count)
            #expect(marker.marks == shares.count && marker.questions == [3])
            #expect(abs((marker.meanShare ?? .nan) - mean) < 1e-9)
            #expect(abs((marker.shareDeviation ?? .nan) - variance.squareRoot()) < 1e-9)
        }
        #expect(quality.questions.map(\.byMachine) == [101, 101, 0])
        #expect(quality.questions.map(\.byPeople) == [0, 0, 101])
        #expect(quality.questions.map(\.peopleShare) == [0, 0, 1])
    }

    @Test func `fields, pages, sheets and marks are counted by their flags`() throws {
        let quality = Self.quality([
            MadeSheets.sheet(
                "1", status: .review,
                marks: [
                    Mark(question: 1, score: 0, max: 2, flags: [.multiple]),
                    Mark(question: 5, score: 0, max: 4, flags: [.blank]),
                    Mark(question: 3, score: nil, max: 10, flags: [.open]),
                ],
                fields: [
                    "student_id": FieldReading(value: "1", confidence: 1),
                    "q1": FieldReading(value: "AB", confidence: 1, flags: [.multiple, .faint]),
                    "q5": FieldReading(value: "", confidence: 1, flags: [.blank]),
                ], flags: [.pageDoubtful], pageFlags: [.misaligned], milliseconds: 30),
            MadeSheets.sheet(
                "2",
                marks: [
                    Mark(question: 1, score: 2, max: 2), Mark(question: 5, score: 0, max: 4, flags: [.missingPage]),
                ],
                fields: ["q1": FieldReading(value: "B", confidence: 1)], milliseconds: 10),
            MadeSheets.sheet(nil, status: .failed, error: ReadingFailure(.noSheetFound, "none")),
            MadeSheets.sheet(nil, status: .uploaded),
        ])
        #expect(quality.sheets.total == 4 && quality.sheets.marked == 2)
        #expect(quality.sheets.graded == 1 && quality.sheets.review == 1 && quality.sheets.failed == 1)
        #expect(quality.sheets.flags["page_doubtful"] == 1 && quality.sheets.flags["duplicate_page"] == 0)
        #expect(quality.sheets.errors == ["no_sheet_found": 1])
        #expect(quality.pages.read == 2 && quality.pages.meanMilliseconds == 20)
        #expect(quality.pages.flags["misaligned"] == 1 && quality.pages.flags.count == PageFlag.allCases.count)
        #expect(quality.fields.read == 4 && quality.fields.unflagged == 2 && quality.fields.unflaggedShare == 0.5)
        #expect(quality.fields.doubtful == 1 && quality.fields.doubtfulShare == 0.25)
        #expect(
            quality.fields.flags == [
                "blank": 1, "multiple": 1, "faint": 1, "erased": 0, "unreadable": 0, "uncertain": 0,
            ])
        #expect(quality.questions.map(\.marks) == [2, 1, 0])
        #expect(quality.questions.map(\.undecided) == [0, 0, 1])
        #expect(quality.questions.map(\.flagged) == [1, 0, 1])
        #expect(quality.questions.map(\.flaggedShare) == [0.5, 0, 1])
        #expect(quality.questions.map(\.machineShare) == [1, 1, nil])
        #expect(quality.markers.isEmpty)
    }

    @Test func `nothing yet is noughts, and what is not known is absent`() throws {
        let text = try JSON.string(Self.quality([]))
        #expect(!text.contains("share") && !text.contains("null") && !text.contains("mean_milliseconds"))
        #expect(text.contains("\"total\":0") && text.contains("\"faint\":0"))
    }
}
