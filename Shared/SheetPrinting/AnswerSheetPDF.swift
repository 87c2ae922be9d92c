import CCairo
package import Domain

/// Prints layouts.
package enum AnswerSheetPDF {
    /// A PDF of all pages of a layout.
    ///
    /// - Throws: `PrintingError` when no Chinese font is installed or drawing fails.
    package static func render(layout: SheetLayout, title: String) throws(PrintingError) -> [UInt8] {
        try render(layouts: [layout], title: title)
    }

    /// One PDF of many sheets, such as the pre-filled sheets of a class. The same layouts give the same bytes.
    package static func render(layouts: [SheetLayout], title: String) throws(PrintingError) -> [UInt8] {
        let first = layouts.first?.pages.first
        let file = try PDFFile(title: title, width: first?.width ?? 210, height: first?.height ?? 297)
        let painter = try SheetPainter(cairo: file.context)
        for page in layouts.lazy.flatMap(\.pages) {
            file.setSize(width: page.width, height: page.height)
            try painter.draw(page)
            file.endPage()
        }
        return try file.finish()
    }

    /// A page as it comes out of the printer, in shades of grey.
    package static func rasterise(page: LayoutPage, dpi: Double) throws(PrintingError) -> GrayImage {
        try SheetCanvas(page: page, dpi: dpi).grayImage()
    }
}
