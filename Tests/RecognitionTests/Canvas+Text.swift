import CCairo
import Domain

@testable import Recognition

extension Canvas {
    /// Writes a line of text with its middle at a place; `size` is the font's height in millimetres.
    func write(
        _ text: String, x: Double, y: Double, size: Double, ink: Double = 0.85, font: String = "Noto Sans CJK SC"
    ) {
        let stride = cairo_format_stride_for_width(CAIRO_FORMAT_A8, Int32(image.width))
        guard let surface = cairo_image_surface_create(CAIRO_FORMAT_A8, Int32(image.width), Int32(image.height)),
            let cairo = cairo_create(surface), let layout = pango_cairo_create_layout(cairo),
            let description = pango_font_description_from_string(font)
        else { return }
        pango_font_description_set_absolute_size(description, size * Self.scale * Double(PANGO_SCALE))
        pango_layout_set_font_description(layout, description)
        pango_layout_set_text(layout, text, -1)
        var width: Int32 = 0
        var height: Int32 = 0
        pango_layout_get_pixel_size(layout, &width, &height)
        cairo_move_to(cairo, x * Self.scale - Double(width) / 2, y * Self.scale - Double(height) / 2)
        cairo_set_source_rgba(cairo, 0, 0, 0, 1)
        pango_cairo_show_layout(cairo, layout)
        cairo_surface_flush(surface)
        if let data = cairo_image_surface_get_data(surface) {
            for row in 0..<image.height {
                for column in 0..<image.width {
                    let coverage = Double(data[row * Int(stride) + column]) / 255
                    guard coverage > 0 else { continue }
                    let old = Double(image.pixels[row * image.width + column])
                    image.pixels[row * image.width + column] = UInt8(old * (1 - ink * coverage))
                }
            }
        }
        pango_font_description_free(description)
        g_object_unref(UnsafeMutableRawPointer(layout))
        cairo_destroy(cairo)
        cairo_surface_destroy(surface)
    }
}
