import ExamFigures

/// What stands first in a report: what exam it is, and its sheets.
struct ReportHead {
    let report: ExamReport

    func draw(on page: ReportPage) {
        page.shade(0)
        page.paragraph(report.title, size: report.title.count > 50 ? 4.4 : 6, bold: true)
        page.y += 1
        let subject = report.subject.isEmpty ? "" : report.subject + " · "
        page.paragraph(
            "\(subject)考试报告 Exam report · 满分 Full score \(Figure.points(report.maxScore)) · 日期 Date \(report.date)",
            size: 3.4, maxLines: 4)
        page.y += 3
        page.heading("答卷 Sheets")
        let sheets = report.sheets
        FigureRow(figures: [
            ("总数 Total", "\(sheets.total)"), ("已评 Graded", "\(sheets.graded)"),
            ("待人工 Waiting for people", "\(sheets.review)"), ("失败 Failed", "\(sheets.failed)"),
            ("未完成 Unfinished", "\(sheets.uploaded + sheets.recognized)"),
        ]).draw(on: page)
        guard report.scores.count == 0 else { return }
        page.paragraph(
            sheets.total == 0
                ? "还没有答卷。 No sheet has been uploaded yet." : "还没有已评分的答卷。 No sheet has been marked yet.",
            size: 3.4)
    }
}

/// The figures and the histogram of the scores.
struct ReportScores {
    let report: ExamReport
    private static let barHeight = 40.0

    func draw(on page: ReportPage) {
        let scores = report.scores
        page.heading("成绩 Scores")
        FigureRow(figures: [
            ("人数 Number", "\(scores.count)"), ("平均分 Mean", Figure.optional(scores.mean)),
            ("中位数 Median", Figure.optional(scores.median)),
            ("标准差 Std. deviation", Figure.optional(scores.standardDeviation)),
            ("最低分 Minimum", Figure.optional(scores.minimum)), ("最高分 Maximum", Figure.optional(scores.maximum)),
        ]).draw(on: page)
        histogram(on: page)
    }

    /// Bars of the numbers of students by the share of the full score.
    private func histogram(on page: ReportPage) {
        let bins = report.scores.bins
        let highest = Double(max(bins.max() ?? 1, 1))
        let pitch = (ReportPage.right - ReportPage.left) / Double(max(bins.count, 1))
        let base = page.y + Self.barHeight + 5
        for (index, count) in bins.enumerated() {
            let middle = ReportPage.left + (Double(index) + 0.5) * pitch
            let height = Self.barHeight * Double(count) / highest
            page.shade(0.6)
            page.box(middle - pitch * 0.4, base - height, pitch * 0.8, height)
            page.shade(0)
            page.line("\(count)", x: middle, y: base - height - 2.2, size: 2.8, anchor: 0.5)
            let (from, to) = (index * 100 / bins.count, (index + 1) * 100 / bins.count)
            page.line("\(from)–\(to)%", x: middle, y: base + 3, size: 2.5, anchor: 0.5, maxWidth: pitch - 1)
        }
        page.rule(y: base)
        page.y = base + 10
    }
}

/// Figures side by side, each below its name.
struct FigureRow {
    let figures: [(name: String, value: String)]

    func draw(on page: ReportPage) {
        let pitch = (ReportPage.right - ReportPage.left) / Double(max(figures.count, 1))
        for (index, figure) in figures.enumerated() {
            let x = ReportPage.left + Double(index) * pitch
            page.shade(0.35)
            page.line(figure.name, x: x, y: page.y, size: 2.7, maxWidth: pitch - 2)
            page.shade(0)
            page.line(figure.value, x: x, y: page.y + 5.5, size: 4.6, bold: true, maxWidth: pitch - 2)
        }
        page.y += 13
    }
}
