import CCairo
import Glibc
import SheetPrinting

extension ScannedImage {
    /// A PDF with one JPEG a page, as scanners with a document feeder write it.
    static func pdf(_ images: [ScannedImage], quality: Int) throws(PrintingError) -> [UInt8] {
        let output = ByteSink()
        let surface = cairo_pdf_surface_create_for_stream(ByteSink.write, output.closure, 1, 1)
        defer { cairo_surface_destroy(surface) }
        guard let surface, let context = cairo_create(surface) else {
            throw PrintingError(.drawingFailed, "no memory for a PDF")
        }
        defer { cairo_destroy(context) }
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "2026-01-01T00:00:00Z")
        for image in images {
            let scale = 72 / image.dpi
            cairo_pdf_surface_set_size(surface, Double(image.width) * scale, Double(image.height) * scale)
            let picture = try image.jpegSurface(quality: quality)
            defer { cairo_surface_destroy(picture) }
            cairo_save(context)
            cairo_scale(context, scale, scale)
            cairo_set_source_surface(context, picture, 0, 0)
            cairo_paint(context)
            cairo_restore(context)
            cairo_show_page(context)
        }
        cairo_surface_finish(surface)
        let status = cairo_surface_status(surface)
        guard status == CAIRO_STATUS_SUCCESS else {
            throw PrintingError(.drawingFailed, String(cString: cairo_status_to_string(status)))
        }
        return withExtendedLifetime(output) { output.bytes }
    }

    /// A surface that stands for the JPEG: cairo copies the JPEG into the PDF and never looks at the pixels.
    private func jpegSurface(quality: Int) throws(PrintingError) -> OpaquePointer {
        let bytes = try jpeg(quality: quality)
        let format = channels == 1 ? CAIRO_FORMAT_A8 : CAIRO_FORMAT_RGB24
        guard let surface = cairo_image_surface_create(format, Int32(width), Int32(height)),
            let copy = malloc(bytes.count)
        else { throw PrintingError(.drawingFailed, "no memory for a PDF") }
        bytes.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress { memcpy(copy, start, bytes.count) }
        }
        let status = cairo_surface_set_mime_data(
            surface, "image/jpeg", copy.assumingMemoryBound(to: UInt8.self), UInt(bytes.count), { free($0) }, copy)
        guard status == CAIRO_STATUS_SUCCESS else {
            free(copy)
            cairo_surface_destroy(surface)
            throw PrintingError(.drawingFailed, String(cString: cairo_status_to_string(status)))
        }
        return surface
    }
}

/// Collects what cairo writes.
final class ByteSink {
    var bytes: [UInt8] = []

    /// To be passed along with `write`; the sink must outlive the stream.
    var closure: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    static let write: cairo_write_func_t = { closure, bytes, count in
        guard let closure, let bytes else { return CAIRO_STATUS_WRITE_ERROR }
        let sink = Unmanaged<ByteSink>.fromOpaque(closure).takeUnretainedValue()
        sink.bytes.append(contentsOf: UnsafeBufferPointer(start: bytes, count: Int(count)))
        return CAIRO_STATUS_SUCCESS
    }
}
