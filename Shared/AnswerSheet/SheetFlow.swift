import Domain

/// Lets sections run through as many pages as they need, each page with its header.
struct SheetFlow {
    private let header: SheetBlock
    private(set) var pages: [SheetBlock]
    private var y: Double

    init(header: SheetBlock) {
        self.header = header
        pages = [header]
        y = header.height
    }

    /// Height a row may have at most.
    var space: Double {
        SheetMeasure.bottom - header.height - SheetMeasure.headingHeight - SheetMeasure.padding
    }

    /// Appends a section; every piece of it has a panel with the heading on top.
    mutating func append(_ section: SheetSection, index: Int) {
        var rows = section.rows(space: space)[...]
        var isFirst = true
        while let first = rows.first {
            if y + SheetMeasure.headingHeight + SheetMeasure.padding + first.height > SheetMeasure.bottom {
                pages.append(header)
                y = header.height
            }
            var heading = section.heading(index: index)
            if !isFirst { heading += "（续 continued）" }
            rows = rows.dropFirst(addPanel(heading: heading, note: section.pointsNote, rows: rows))
            isFirst = false
        }
    }

    /// - Returns: the number of rows that fitted on the page.
    private mutating func addPanel(heading: String, note: String, rows: ArraySlice<SheetBlock>) -> Int {
        var panel = SheetBlock()
        var bottom = SheetMeasure.headingHeight + SheetMeasure.padding
        var count = 0
        for row in rows {
            guard count == 0 || y + bottom + row.height <= SheetMeasure.bottom else { break }
            panel.add(row, x: SheetMeasure.padding, y: bottom)
            bottom += row.height
            count += 1
        }
        panel.height = bottom
        panel.draw(.band, left: 0, top: 0, width: SheetMeasure.width, height: SheetMeasure.headingHeight)
        panel.draw(.panel, left: 0, top: 0, width: SheetMeasure.width, height: bottom)
        let noteWidth = TextWidth.of(note, size: 2.7)
        panel.print(
            heading, x: SheetMeasure.padding, y: SheetMeasure.headingHeight / 2, size: 3.3, bold: true,
            maxWidth: SheetMeasure.contentWidth - noteWidth - 4)
        panel.print(
            note, x: SheetMeasure.width - SheetMeasure.padding, y: SheetMeasure.headingHeight / 2, size: 2.7,
            anchor: .end, maxWidth: SheetMeasure.contentWidth / 2)
        pages[pages.count - 1].add(panel, x: SheetMeasure.left, y: y)
        y += bottom + SheetMeasure.sectionGap
        return count
    }
}
