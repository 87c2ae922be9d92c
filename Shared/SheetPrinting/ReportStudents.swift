import ExamFigures

/// The table of the students' scores, three columns a page.
struct ReportStudents {
    let report: ExamReport

    private static let columns = 3
    private static let rowHeight = 4.8
    private static let gap = 4.0
    private static let least = 40.0

    private static var width: Double {
        (ReportPage.right - ReportPage.left - gap * Double(columns - 1)) / Double(columns)
    }

    func draw(on page: ReportPage) {
        page.ensure(Self.least)
        page.heading("学生 Students")
        page.shade(0.35)
        page.paragraph(
            "* 尚待人工处理或缺页。 * People still have to look at the sheet, or pages are missing.", size: 2.4)
        page.y += 3
        var rest = report.students[...]
        while !rest.isEmpty {
            page.ensure(20)
            rest = rest.dropFirst(drawPart(of: rest, on: page))
        }
        guard report.studentsLeftOut > 0 else { return }
        page.ensure(10)
        page.paragraph(
            "另有 \(report.studentsLeftOut) 名学生未列出，见 results.csv。 "
                + "\(report.studentsLeftOut) more students are not listed; see results.csv.", size: 2.8)
    }

    /// - Returns: how many students fitted on the page.
    private func drawPart(of students: ArraySlice<ExamReport.Student>, on page: ReportPage) -> Int {
        let top = page.y + 5
        let rows = max(Int((ReportPage.bottom - top) / Self.rowHeight), 1)
        let count = min(students.count, rows * Self.columns)
        // The last page is filled evenly.
        let height = min(rows, (count + Self.columns - 1) / Self.columns)
        for (index, student) in students.prefix(count).enumerated() {
            let left = ReportPage.left + Double(index / height) * (Self.width + Self.gap)
            if index % height == 0 { head(left: left, on: page) }
            draw(student, left: left, y: top + Double(index % height) * Self.rowHeight, on: page)
        }
        page.y = top + Double(height) * Self.rowHeight + 2
        return count
    }

    private func head(left: Double, on page: ReportPage) {
        page.shade(0.35)
        page.line("准考证号 Student ID", x: left, y: page.y, size: 2.5, maxWidth: 30)
        page.line("得分 Score", x: left + 43, y: page.y, size: 2.5, anchor: 1, maxWidth: 12)
        page.line("%", x: left + Self.width - 2, y: page.y, size: 2.5, anchor: 1)
        page.box(left, page.y + 2.2, Self.width, 0.15)
    }

    private func draw(_ student: ExamReport.Student, left: Double, y: Double, on page: ReportPage) {
        page.shade(0)
        page.line(student.student.isEmpty ? "–" : student.student, x: left, y: y, size: 2.8, maxWidth: 31)
        page.line(
            Figure.points(student.score) + (student.isOpen ? " *" : ""), x: left + 43, y: y, size: 2.8, anchor: 1,
            maxWidth: 12)
        let share = student.maxScore > 0 ? student.score / student.maxScore : nil
        page.line(Figure.percent(share), x: left + Self.width - 2, y: y, size: 2.8, anchor: 1)
    }
}
