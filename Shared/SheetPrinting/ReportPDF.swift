import CCairo
package import ExamFigures

/// Prints reports of exams.
package enum ReportPDF {
    /// A PDF on A4. The same report gives the same bytes.
    ///
    /// Memory grows with the PDF, not with what is on its pages: lines of text are freed page by page.
    /// - Throws: `PrintingError` when no Chinese font is installed or drawing fails.
    package static func render(_ report: ExamReport) throws(PrintingError) -> [UInt8] {
        let file = try PDFFile(title: report.title, width: ReportPage.width, height: ReportPage.height)
        let text = try TextPainter(cairo: file.context)
        try text.requireChinese()
        let page = ReportPage(file: file, text: text, title: report.title)
        ReportHead(report: report).draw(on: page)
        if report.scores.count > 0 {
            ReportScores(report: report).draw(on: page)
            ReportQuestions(questions: report.questions).draw(on: page)
            ReportStudents(report: report).draw(on: page)
        }
        page.end()
        return try file.finish()
    }
}
