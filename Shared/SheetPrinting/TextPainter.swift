import CCairo

/// Prints lines of text on one cairo context. Lines are shaped once and kept, because bubbles repeat the same letters.
package final class TextPainter {
    /// The first of these that is installed is used; the last resort is whatever has the characters.
    package static let printFamily = "Noto Sans CJK SC, Source Han Sans SC, WenQuanYi Micro Hei, sans-serif"

    private struct Style: Hashable {
        var text: String
        var size: Double
        var bold: Bool
    }

    private let cairo: OpaquePointer
    private let family: String
    private let context: OpaquePointer
    private var lines: [Style: OpaquePointer] = [:]

    /// - Parameters:
    ///   - cairo: outlives the painter; its unit is the unit of all sizes.
    ///   - family: names of font families, separated by commas, the preferred first.
    package init(cairo: OpaquePointer, family: String = TextPainter.printFamily) throws(PrintingError) {
        guard let context = pango_cairo_create_context(cairo) else {
            throw PrintingError(.drawingFailed, "no text context")
        }
        self.cairo = cairo
        self.family = family
        self.context = context
        // Glyphs must land where the widths say at every resolution, so nothing may be rounded to pixels.
        pango_context_set_round_glyph_positions(context, 0)
        let options = cairo_font_options_create()
        cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE)
        cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF)
        cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY)
        pango_cairo_context_set_font_options(context, options)
        cairo_font_options_destroy(options)
    }

    deinit {
        forget()
        g_object_unref(UnsafeMutableRawPointer(context))
    }

    /// Frees the lines that are kept: for text that does not repeat itself.
    package func forget() {
        for line in lines.values { g_object_unref(UnsafeMutableRawPointer(line)) }
        lines.removeAll(keepingCapacity: true)
    }

    /// Checks that Chinese can be printed.
    func requireChinese() throws(PrintingError) {
        guard pango_layout_get_unknown_glyphs_count(line("准考证号填涂姓名", size: 4, bold: false)) == 0 else {
            throw PrintingError(
                .fontMissing,
                "no installed font has Chinese characters; install one (Debian: apt-get install fonts-noto-cjk)")
        }
    }

    /// Prints so that capitals are centred on `y`; `anchor` is 0 for the left end at `x`, 0.5 for the middle, 1 for
    /// the right end.
    package func print(
        _ text: String, x: Double, y: Double, size: Double, bold: Bool = false, anchor: Double = 0,
        maxWidth: Double? = nil
    ) {
        let line = line(text, size: size, bold: bold)
        let width = width(of: line)
        let squeeze = maxWidth.map { width > $0 && $0 > 0 ? $0 / width : 1 } ?? 1
        let baseline = Double(pango_layout_get_baseline(line)) / Double(PANGO_SCALE)
        cairo_save(cairo)
        // Capitals are 0.733 of the size high.
        cairo_translate(cairo, x - anchor * width * squeeze, y + 0.3665 * size - baseline)
        cairo_scale(cairo, squeeze, 1)
        pango_cairo_show_layout(cairo, line)
        cairo_restore(cairo)
    }

    /// The printed width of a line.
    package func width(of text: String, size: Double, bold: Bool = false) -> Double {
        width(of: line(text, size: size, bold: bold))
    }

    private func width(of line: OpaquePointer) -> Double {
        var width: Int32 = 0
        pango_layout_get_size(line, &width, nil)
        return Double(width) / Double(PANGO_SCALE)
    }

    private func line(_ text: String, size: Double, bold: Bool) -> OpaquePointer {
        let style = Style(text: text, size: size, bold: bold)
        if let line = lines[style] { return line }
        guard let line = pango_layout_new(context) else { preconditionFailure("out of memory") }
        let font = pango_font_description_new()
        pango_font_description_set_family(font, family)
        pango_font_description_set_weight(font, bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL)
        pango_font_description_set_absolute_size(font, size * Double(PANGO_SCALE))
        pango_layout_set_font_description(line, font)
        pango_font_description_free(font)
        pango_layout_set_single_paragraph_mode(line, 1)
        pango_layout_set_text(line, text, -1)
        lines[style] = line
        return line
    }
}
