import CCairo
package import Domain

/// Draws pages of a layout on a cairo context whose unit is the millimetre.
package struct SheetPainter {
    /// Width of the outline of bubbles.
    static let bubbleLine = 0.22
    /// Width of the frame of boxes to write in.
    static let boxLine = 0.25

    private let cairo: OpaquePointer
    private let text: TextPainter

    /// - Throws: `fontMissing` when no installed font has Chinese characters.
    package init(cairo: OpaquePointer) throws(PrintingError) {
        self.cairo = cairo
        text = try TextPainter(cairo: cairo)
        try text.requireChinese()
    }

    package func draw(_ page: LayoutPage) throws(PrintingError) {
        for shape in page.shapes where shape.kind == .band { draw(shape) }
        for shape in page.shapes where shape.kind != .band { draw(shape) }
        for field in page.fields { draw(field) }
        for mark in page.cornerMarks { draw(mark) }
        if let code = page.code { try draw(code) }
        setGray(0)
        for line in page.texts {
            let anchor =
                switch line.anchor {
                case .start: 0.0
                case .middle: 0.5
                case .end: 1.0
                }
            text.print(
                line.text, x: line.x, y: line.y, size: line.size, bold: line.bold, anchor: anchor,
                maxWidth: line.maxWidth)
        }
    }

    private func draw(_ mark: CornerMark) {
        setGray(0)
        rectangle(mark.x, mark.y, mark.size, mark.size)
        if mark.hollow {
            cairo_set_fill_rule(cairo, CAIRO_FILL_RULE_EVEN_ODD)
            rectangle(mark.x, mark.y, mark.size / 2, mark.size / 2)
        }
        cairo_fill(cairo)
        cairo_set_fill_rule(cairo, CAIRO_FILL_RULE_WINDING)
    }

    private func draw(_ code: PageCode) throws(PrintingError) {
        let modules = try QRCode(code.payload)
        let unit = code.size / Double(modules.size)
        let left = code.x - code.size / 2
        let top = code.y - code.size / 2
        setGray(0)
        // One path for all modules, so that no renderer leaves hairlines between them.
        for row in 0..<modules.size {
            for run in modules.runs(row: row) {
                cairo_rectangle(
                    cairo, left + Double(run.lowerBound) * unit, top + Double(row) * unit, Double(run.count) * unit,
                    unit)
            }
        }
        cairo_fill(cairo)
    }

    private func draw(_ field: LayoutField) {
        for bubble in field.bubbles {
            outline(bubble.x, bubble.y, bubble.width, bubble.height)
            setGray(0.55)
            text.print(bubble.value, x: bubble.x, y: bubble.y, size: bubble.height * 0.72, anchor: 0.5)
        }
        guard let box = field.box else { return }
        switch field.kind {
        case .text, .open:
            setGray(0.25)
            cairo_set_line_width(cairo, Self.boxLine)
        case .choice, .digits:
            setGray(0.6)
            cairo_set_line_width(cairo, 0.2)
        }
        rectangle(box.x, box.y, box.width, box.height)
        cairo_stroke(cairo)
    }

    private func draw(_ shape: PrintedShape) {
        let (x, y, width, height) = (shape.x, shape.y, shape.width, shape.height)
        switch shape.kind {
        case .band:
            setGray(0.91)
            rectangle(x, y, width, height)
            cairo_fill(cairo)
        case .panel:
            setGray(0.45)
            cairo_set_line_width(cairo, 0.25)
            rectangle(x, y, width, height)
            cairo_stroke(cairo)
        case .frame, .rule:
            setGray(0.4)
            cairo_set_line_width(cairo, Self.boxLine)
            rectangle(x, y, width, height)
            cairo_stroke(cairo)
        case .filledExample, .tickedExample, .crossedExample, .partlyFilledExample:
            outline(x, y, width, height)
            setGray(0.1)
            cairo_set_line_width(cairo, 0.45)
            example(shape)
        }
    }

    private func example(_ shape: PrintedShape) {
        let (x, y, width, height) = (shape.x, shape.y, shape.width, shape.height)
        switch shape.kind {
        case .tickedExample:
            cairo_move_to(cairo, x - width * 0.25, y - height * 0.05)
            cairo_line_to(cairo, x - width * 0.05, y + height * 0.32)
            cairo_line_to(cairo, x + width * 0.32, y - height * 0.4)
            cairo_stroke(cairo)
        case .crossedExample:
            for side in [-1.0, 1.0] {
                cairo_move_to(cairo, x - side * width * 0.22, y - height * 0.36)
                cairo_line_to(cairo, x + side * width * 0.22, y + height * 0.36)
            }
            cairo_stroke(cairo)
        case .partlyFilledExample:
            rounded(x - width * 0.22, y, width * 0.5, height * 0.7)
            cairo_fill(cairo)
        default:
            rounded(x, y, width, height)
            cairo_fill(cairo)
        }
    }

    /// The empty outline of a bubble; its edge lies inside the bubble's size.
    private func outline(_ x: Double, _ y: Double, _ width: Double, _ height: Double) {
        setGray(0.45)
        cairo_set_line_width(cairo, Self.bubbleLine)
        rounded(x, y, width - Self.bubbleLine, height - Self.bubbleLine)
        cairo_stroke(cairo)
    }

    private func setGray(_ value: Double) {
        cairo_set_source_rgb(cairo, value, value, value)
    }

    private func rectangle(_ x: Double, _ y: Double, _ width: Double, _ height: Double) {
        cairo_rectangle(cairo, x - width / 2, y - height / 2, width, height)
    }

    private func rounded(_ x: Double, _ y: Double, _ width: Double, _ height: Double) {
        let radius = min(width, height) * 0.32
        let (left, right) = (x - width / 2 + radius, x + width / 2 - radius)
        let (top, bottom) = (y - height / 2 + radius, y + height / 2 - radius)
        cairo_new_sub_path(cairo)
        cairo_arc(cairo, right, top, radius, -.pi / 2, 0)
        cairo_arc(cairo, right, bottom, radius, 0, .pi / 2)
        cairo_arc(cairo, left, bottom, radius, .pi / 2, .pi)
        cairo_arc(cairo, left, top, radius, .pi, .pi * 1.5)
        cairo_close_path(cairo)
    }
}
