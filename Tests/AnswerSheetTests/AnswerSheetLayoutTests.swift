import AnswerSheet
import Domain
import Testing

@Suite struct AnswerSheetLayoutTests {
    @Test(arguments: 0..<60)
    func `Nothing a student fills in overlaps anything, on any exam`(seed: UInt64) throws {
        let exam = Exam.random(seed: seed)
        #expect(exam.draft.problems().isEmpty)
        for student in [nil, "20260017"] {
            let layout = AnswerSheetLayout.make(for: exam, student: student)
            for page in layout.pages {
                var areas = page.cornerMarks.map { Area($0.x, $0.y, $0.size + 6, $0.size + 6, "mark") }
                let code = try #require(page.code)
                areas.append(Area(code.x, code.y, code.size + 4, code.size + 4, "code"))
                for field in page.fields { areas += field.areas }
                for (index, area) in areas.enumerated() {
                    #expect(area.left >= 9 && area.right <= 201 && area.top >= 6 && area.bottom <= 291, "\(area)")
                    for other in areas[..<index] {
                        #expect(!area.overlaps(other), "\(area) and \(other) on page \(page.number)")
                    }
                }
            }
        }
    }

    @Test(arguments: 0..<60)
    func `Every question has one field of its kind, and every page the student id`(seed: UInt64) {
        let exam = Exam.random(seed: seed)
        let layout = AnswerSheetLayout.make(for: exam)
        let fields = layout.pages.flatMap(\.fields).filter { $0.name != "student_id" }
        #expect(fields.map(\.name).sorted() == exam.questions.map(\.fieldName).sorted())
        #expect(layout.pages.allSatisfy { page in page.fields.count { $0.name == "student_id" } == 1 })
        #expect(layout.pages.map(\.number) == Array(1...layout.pages.count))
        let byName = Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0) })
        for question in exam.questions {
            let field = byName[question.fieldName]
            switch question.kind {
            case .singleChoice, .multipleChoice, .trueFalse:
                #expect(field?.kind == .choice)
                #expect(field?.bubbles.map(\.value) == question.optionLetters)
                #expect(field?.single == (question.kind != .multipleChoice))
            case .numeric where question.digits != nil:
                #expect(field?.kind == .digits)
                #expect(field?.bubbles.count == (question.digits ?? 0) * 12)
            case .numeric:
                #expect(field?.kind == .text && field?.alphabet == "0123456789.-")
            case .shortText:
                #expect(field?.kind == .text && field?.alphabet == nil)
                #expect((field?.box?.width ?? 0) >= 60 && (field?.box?.height ?? 0) >= 9)
            case .open:
                #expect(field?.kind == .open)
                #expect((field?.box?.height ?? 0) >= min(question.height ?? 60, 100) - 0.01)
            }
        }
    }

    @Test func `Bubbles keep the distances recognition counts on`() {
        for seed in 0..<20 {
            for page in AnswerSheetLayout.make(for: .random(seed: UInt64(seed))).pages {
                let bubbles = page.fields.flatMap(\.bubbles)
                for (index, bubble) in bubbles.enumerated() {
                    for other in bubbles[..<index] where abs(bubble.y - other.y) < 4.9 {
                        #expect(abs(bubble.x - other.x) >= 6.99)
                    }
                }
            }
        }
    }

    @Test func `The same exam gives the same layout, and a student's sheet names the student`() {
        let exam = Exam.random(seed: 4)
        #expect(AnswerSheetLayout.make(for: exam) == AnswerSheetLayout.make(for: exam))
        let sheet = AnswerSheetLayout.make(for: exam, variant: "B", student: "20260017")
        #expect(sheet.pages.first?.code?.payload == "ZY1:0123456789abcdef0123456789abcdef:1:B:20260017")
        #expect(sheet.pages.flatMap(\.fields).allSatisfy { $0.name != "student_id" })
        #expect(sheet.pages.flatMap(\.texts).contains { $0.text == "20260017" })
    }

    @Test func `Questions in order of kind keep their order on paper`() {
        var exam = Exam.random(seed: 1)
        exam.questions = (1...60).map { number in
            Question(number: number, kind: number <= 40 ? .singleChoice : .trueFalse, points: 1, answer: "T")
        }
        let names = AnswerSheetLayout.make(for: exam).pages.flatMap(\.fields).map(\.name)
        #expect(names.filter { $0 != "student_id" } == exam.questions.map(\.fieldName))
    }

    @Test func `Lines of print stay on the page and out of the marks`() {
        for seed in 0..<40 {
            for page in AnswerSheetLayout.make(for: .random(seed: UInt64(seed))).pages {
                for text in page.texts {
                    #expect(text.x >= 15 && text.x <= 195, "\(text)")
                    #expect(text.y >= 10 && text.y <= 285, "\(text)")
                    #expect(text.y > 24 || text.x >= 24)
                }
            }
        }
    }
}

/// A rectangle on the page.
private struct Area: CustomStringConvertible {
    var left, right, top, bottom: Double
    var description: String

    init(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ name: String) {
        (left, right, top, bottom) = (x - width / 2, x + width / 2, y - height / 2, y + height / 2)
        description = "\(name) \(left)…\(right) × \(top)…\(bottom)"
    }

    func overlaps(_ other: Area) -> Bool {
        let slack = 0.02
        return left + slack < other.right && other.left + slack < right && top + slack < other.bottom
            && other.top + slack < bottom
    }
}

extension LayoutField {
    /// The frame when there is one (its bubbles lie within), else every bubble.
    fileprivate var areas: [Area] {
        if let box { return [Area(box.x, box.y, box.width, box.height, name)] }
        return bubbles.map { Area($0.x, $0.y, $0.width, $0.height, name + $0.value) }
    }
}
