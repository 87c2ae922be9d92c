package import Domain

/// What the printing process is asked for: one PDF of these sheets.
package struct PrintJob: Codable, Sendable {
    /// Longest job as JSON, in bytes: some thousand pages.
    package static let maxBytes = 64 << 20

    package var layouts: [SheetLayout]
    /// Of the document, as a viewer shows it.
    package var title: String

    package init(layouts: [SheetLayout], title: String) {
        self.layouts = layouts
        self.title = title
    }
}
