import Domain
import ExamFigures

/// The table of the questions.
struct ReportQuestions {
    let questions: [QuestionFigures]

    private static let columns: [(name: String, x: Double, width: Double)] = [
        ("题号 No.", 15, 11), ("题型 Type", 27, 26), ("分值 Points", 54, 13), ("难度 Mean", 68, 14), ("区分度 Disc.", 83, 14),
        ("空白 Blank", 98, 13), ("选项 Options", 112, 82),
    ]
    private static let optionsLeft = 112.0
    private static let optionsWidth = 83.0
    private static let optionsInLine = 5
    private static let rowHeight = 5.6
    /// Of the lines of one row.
    private static let linePitch = 4.2

    func draw(on page: ReportPage) {
        page.ensure(40)
        page.heading("试题 Questions")
        head(on: page)
        for question in questions {
            if page.ensure(Self.height(of: question)) { head(on: page) }
            draw(question, on: page)
        }
        page.y += 1.5
        page.ensure(24)
        page.shade(0.35)
        for note in Self.notes { page.paragraph(note, size: 2.4) }
        page.shade(0)
        page.y += 4
    }

    private func head(on page: ReportPage) {
        page.shade(0.35)
        for column in Self.columns {
            page.line(column.name, x: column.x, y: page.y, size: 2.6, maxWidth: column.width)
        }
        page.y += 2.8
        page.rule(y: page.y)
        page.y += 2.8
    }

    private func draw(_ question: QuestionFigures, on page: ReportPage) {
        page.shade(0)
        let cells = [
            "\(question.number)", Self.name(of: question.kind), Figure.points(question.points),
            Figure.percent(question.meanShare), Figure.optional(question.discrimination),
            Figure.percent(question.blankShare),
        ]
        for (cell, column) in zip(cells, Self.columns) {
            page.line(cell, x: column.x, y: page.y, size: 2.8, maxWidth: column.width)
        }
        let pitch = Self.optionsWidth / Double(Self.optionsInLine)
        for (index, option) in question.options.enumerated() {
            let share = question.read > 0 ? Double(option.count) / Double(question.read) : nil
            page.line(
                (option.isKey ? "[\(option.letter)]" : option.letter) + " " + Figure.percent(share),
                x: Self.optionsLeft + Double(index % Self.optionsInLine) * pitch,
                y: page.y + Double(index / Self.optionsInLine) * Self.linePitch, size: 2.6, bold: option.isKey,
                maxWidth: pitch - 1)
        }
        page.y += Self.height(of: question)
    }

    /// Ten options, the most there are, take two lines.
    private static func height(of question: QuestionFigures) -> Double {
        let lines = max((question.options.count + optionsInLine - 1) / optionsInLine, 1)
        return rowHeight + Double(lines - 1) * linePitch
    }

    private static func name(of kind: Question.Kind) -> String {
        switch kind {
        case .singleChoice: "单选 Single choice"
        case .multipleChoice: "多选 Multiple choice"
        case .trueFalse: "判断 True or false"
        case .numeric: "数值 Numeric"
        case .shortText: "填空 Short text"
        case .open: "解答 Open"
        }
    }

    private static let notes = [
        "难度：平均得分占满分的比例。区分度：该题得分与其余各题总分的相关系数（−1 至 1）。空白：未作答的比例。选项：选择各选项的比例，[ ] 为答案。",
        "Mean: points earned as a share of those possible. Disc.: correlation of the question's points with those of all other questions "
            + "(-1 to 1). Blank: share left empty. Options: share that chose each; [ ] is the key.",
    ]
}
