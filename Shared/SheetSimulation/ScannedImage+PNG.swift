import CCairo
import SheetPrinting

extension ScannedImage {
    /// A PNG written by cairo, grey as 8-bit grey.
    func png() throws(PrintingError) -> [UInt8] {
        let format = channels == 1 ? CAIRO_FORMAT_A8 : CAIRO_FORMAT_RGB24
        let surface = cairo_image_surface_create(format, Int32(width), Int32(height))
        defer { cairo_surface_destroy(surface) }
        guard let surface, let data = cairo_image_surface_get_data(surface) else {
            throw PrintingError(.drawingFailed, "no memory for a PNG")
        }
        let stride = Int(cairo_image_surface_get_stride(surface))
        pixels.withUnsafeBufferPointer { pixels in
            for row in 0..<height {
                let line = data + row * stride
                for column in 0..<width {
                    let index = (row * width + column) * channels
                    if channels == 1 {
                        line[column] = pixels[index]
                    } else {
                        line[column * 4] = pixels[index + 2]
                        line[column * 4 + 1] = pixels[index + 1]
                        line[column * 4 + 2] = pixels[index]
                    }
                }
            }
        }
        cairo_surface_mark_dirty(surface)
        let output = ByteSink()
        let status = cairo_surface_write_to_png_stream(surface, ByteSink.write, output.closure)
        guard status == CAIRO_STATUS_SUCCESS else {
            throw PrintingError(.drawingFailed, String(cString: cairo_status_to_string(status)))
        }
        return withExtendedLifetime(output) { output.bytes }
    }
}
