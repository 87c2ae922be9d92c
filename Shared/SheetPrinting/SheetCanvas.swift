import CCairo
package import Domain

/// A page as an image to draw on: the paper and the print at first, whatever is drawn with `context` later.
package final class SheetCanvas {
    /// The unit is the millimetre, the origin the page's top left corner.
    package let context: OpaquePointer
    /// Pixels.
    package let width: Int
    package let height: Int
    private let surface: OpaquePointer

    /// A canvas with the page printed on it.
    ///
    /// - Parameter dpi: pixels an inch, 20 to 1200.
    package init(page: LayoutPage, dpi: Double) throws(PrintingError) {
        let scale = min(max(dpi, 20), 1200) / 25.4
        width = Int((page.width * scale).rounded())
        height = Int((page.height * scale).rounded())
        surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(width), Int32(height))
        context = cairo_create(surface)
        cairo_set_source_rgb(context, 1, 1, 1)
        cairo_paint(context)
        cairo_scale(context, Double(width) / page.width, Double(height) / page.height)
        try SheetPainter(cairo: context).draw(page)
        try Self.check(cairo_status(context))
    }

    deinit {
        cairo_destroy(context)
        cairo_surface_destroy(surface)
    }

    /// The canvas in shades of grey.
    package func grayImage() -> GrayImage {
        withPixels { pixels, stride in
            GrayImage(
                width: width, height: height,
                pixels: [UInt8](unsafeUninitializedCapacity: width * height) { buffer, count in
                    for y in 0..<height {
                        for x in 0..<width {
                            let pixel = pixels[y * stride + x]
                            let sum = (pixel >> 16 & 255) * 77 + (pixel >> 8 & 255) * 150 + (pixel & 255) * 29
                            buffer[y * width + x] = UInt8(truncatingIfNeeded: sum >> 8)
                        }
                    }
                    count = width * height
                })
        }
    }

    /// The pixels as `0x00RRGGBB`; `stride` is counted in pixels.
    package func withPixels<Result>(_ body: (UnsafePointer<UInt32>, _ stride: Int) -> Result) -> Result {
        cairo_surface_flush(surface)
        let stride = Int(cairo_image_surface_get_stride(surface)) / 4
        guard let data = cairo_image_surface_get_data(surface) else { preconditionFailure("the surface is finished") }
        return data.withMemoryRebound(to: UInt32.self, capacity: stride * height) { body($0, stride) }
    }

    static func check(_ status: cairo_status_t) throws(PrintingError) {
        guard status == CAIRO_STATUS_SUCCESS else {
            throw PrintingError(.drawingFailed, String(cString: cairo_status_to_string(status)))
        }
    }
}

/// An image of one byte a pixel, 0 black to 255 white, rows from the top.
package struct GrayImage: Equatable, Sendable {
    package var width: Int
    package var height: Int
    package var pixels: [UInt8]

    package init(width: Int, height: Int, pixels: [UInt8]) {
        self.width = width
        self.height = height
        self.pixels = pixels
    }
}
