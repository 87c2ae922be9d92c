package import Domain
package import ExamFigures

/// What the printing process is asked for: one PDF, of sheets or a report.
package struct PrintJob: Codable, Sendable {
    /// Longest job as JSON, in bytes: some thousand pages.
    package static let maxBytes = 64 << 20

    package var layouts: [SheetLayout]
    /// Of the document, as a viewer shows it.
    package var title: String
    /// Printed instead of sheets, if there is one.
    package var report: ExamReport?

    package init(layouts: [SheetLayout], title: String) {
        self.layouts = layouts
        self.title = title
    }

    package init(report: ExamReport) {
        layouts = []
        title = report.title
        self.report = report
    }
}
