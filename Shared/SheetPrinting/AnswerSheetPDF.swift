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
        let output = ByteSink()
        let first = layouts.first?.pages.first
        let surface = cairo_pdf_surface_create_for_stream(
            { closure, bytes, count in
                guard let closure, let bytes else { return CAIRO_STATUS_WRITE_ERROR }
                let sink = Unmanaged<ByteSink>.fromOpaque(closure).takeUnretainedValue()
                sink.bytes.append(contentsOf: UnsafeBufferPointer(start: bytes, count: Int(count)))
                return CAIRO_STATUS_SUCCESS
            }, Unmanaged.passUnretained(output).toOpaque(), points(first?.width ?? 210), points(first?.height ?? 297))
        defer { cairo_surface_destroy(surface) }
        guard let surface, let context = cairo_create(surface) else {
            throw PrintingError(.drawingFailed, "no surface to draw on")
        }
        defer { cairo_destroy(context) }
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title)
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "ZhiYue")
        // The time of printing would make every copy a different file.
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "2026-01-01T00:00:00Z")
        cairo_scale(context, 72 / 25.4, 72 / 25.4)
        let painter = try SheetPainter(cairo: context)
        for page in layouts.lazy.flatMap(\.pages) {
            cairo_pdf_surface_set_size(surface, points(page.width), points(page.height))
            try painter.draw(page)
            cairo_show_page(context)
        }
        cairo_surface_finish(surface)
        try SheetCanvas.check(cairo_surface_status(surface))
        return withExtendedLifetime(output) { output.bytes }
    }

    /// A page as it comes out of the printer, in shades of grey.
    package static func rasterise(page: LayoutPage, dpi: Double) throws(PrintingError) -> GrayImage {
        try SheetCanvas(page: page, dpi: dpi).grayImage()
    }

    private static func points(_ millimetres: Double) -> Double {
        millimetres * 72 / 25.4
    }
}

/// Collects what cairo writes.
private final class ByteSink {
    var bytes: [UInt8] = []
}
