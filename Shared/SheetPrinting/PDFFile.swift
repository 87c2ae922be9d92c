import CCairo

/// A PDF being drawn. The same title and drawing give the same bytes.
final class PDFFile {
    /// The unit is the millimetre, the origin the page's top left corner.
    let context: OpaquePointer
    private let surface: OpaquePointer
    private let output: ByteSink

    /// - Parameters:
    ///   - width: of the first page, in millimetres.
    ///   - height: of the first page, in millimetres.
    init(title: String, width: Double, height: Double) throws(PrintingError) {
        let output = ByteSink()
        let surface = cairo_pdf_surface_create_for_stream(
            { closure, bytes, count in
                guard let closure, let bytes else { return CAIRO_STATUS_WRITE_ERROR }
                let sink = Unmanaged<ByteSink>.fromOpaque(closure).takeUnretainedValue()
                sink.bytes.append(contentsOf: UnsafeBufferPointer(start: bytes, count: Int(count)))
                return CAIRO_STATUS_SUCCESS
            }, Unmanaged.passUnretained(output).toOpaque(), Self.points(width), Self.points(height))
        guard let surface, let context = cairo_create(surface) else {
            throw PrintingError(.drawingFailed, "no surface to draw on")
        }
        self.output = output
        self.surface = surface
        self.context = context
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title)
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "ZhiYue")
        // The time of printing would make every copy a different file.
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "2026-01-01T00:00:00Z")
        cairo_scale(context, 72 / 25.4, 72 / 25.4)
    }

    deinit {
        cairo_destroy(context)
        // Writes to the sink once more unless it was finished.
        withExtendedLifetime(output) { cairo_surface_destroy(surface) }
    }

    /// Of the page that nothing has been drawn on yet, in millimetres.
    func setSize(width: Double, height: Double) {
        cairo_pdf_surface_set_size(surface, Self.points(width), Self.points(height))
    }

    func endPage() {
        cairo_show_page(context)
    }

    func finish() throws(PrintingError) -> [UInt8] {
        cairo_surface_finish(surface)
        try SheetCanvas.check(cairo_surface_status(surface))
        return output.bytes
    }

    private static func points(_ millimetres: Double) -> Double {
        millimetres * 72 / 25.4
    }
}

/// Collects what cairo writes.
private final class ByteSink {
    var bytes: [UInt8] = []
}
