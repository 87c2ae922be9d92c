import CCairo
package import Domain
package import SheetPrinting

/// Fills in a printed page the way a student with certain habits does.
package struct SimulatedPen {
    private let canvas: SheetCanvas
    private let habits: PenHabits
    private let handwriting: Handwriting
    private var generator: SeededGenerator

    /// - Throws: `PrintingError` when text cannot be drawn.
    package init(canvas: SheetCanvas, habits: PenHabits, generator: SeededGenerator) throws(PrintingError) {
        self.canvas = canvas
        self.habits = habits
        self.generator = generator
        handwriting = try Handwriting(cairo: canvas.context, hand: habits.hand, slant: habits.slant)
    }

    /// Fills in the page.
    ///
    /// - Parameters:
    ///   - answers: by field name: the options to mark (`"AC"`), digits (`"3.14"`), or text; empty or missing leaves the
    ///     field blank.
    ///   - name: written on the first line of the page, the one for the name.
    package mutating func fill(page: LayoutPage, answers: [String: String], name: String = "") {
        if let line = page.shapes.first(where: { $0.kind == .rule }), !name.isEmpty {
            setColour(alpha: 0.95)
            handwriting.write(
                name, x: line.x - line.width / 2 + 3, y: line.y - 3, size: 5, width: line.width - 6, using: &generator)
        }
        for field in page.fields {
            guard let answer = answers[field.name], !answer.isEmpty else { continue }
            switch field.kind {
            case .choice: mark(field, options: answer)
            case .digits: mark(field, digits: answer, frames: page.shapes)
            case .text: write(answer, in: field)
            case .open: writeLines(answer, in: field)
            }
        }
    }

    // MARK: Fields

    private mutating func mark(_ field: LayoutField, options: String) {
        for bubble in field.bubbles where options.contains(bubble.value) { mark(bubble) }
        if generator.chance(habits.erasures),
            let old = field.bubbles.filter({ !options.contains($0.value) }).randomElement(using: &generator)
        {
            smudge(old)
        }
    }

    private mutating func mark(_ field: LayoutField, digits: String, frames: [PrintedShape]) {
        for (position, digit) in digits.enumerated() {
            let column = field.bubbles.filter { $0.position == position }
            guard let bubble = column.first(where: { $0.value == String(digit) }), let top = column.first else {
                continue
            }
            mark(bubble)
            // The digit is written into the box above its column as well.
            let box = frames.last { $0.kind == .frame && abs($0.x - top.x) < 0.1 && $0.y < top.y && top.y - $0.y < 10 }
            guard let box else { continue }
            setColour(alpha: 0.9)
            handwriting.write(
                String(digit), x: box.x - 1.2 + generator.uniform(-0.4...0.4), y: box.y, size: 5, width: box.width,
                using: &generator)
        }
    }

    private mutating func write(_ text: String, in field: LayoutField) {
        guard let box = field.box else { return }
        setColour(alpha: 0.95)
        handwriting.write(
            text, x: box.x - box.width / 2 + generator.uniform(2...8), y: box.y + generator.uniform(-0.6...0.6),
            size: box.height * generator.uniform(0.52...0.66), width: box.width - 12, using: &generator)
    }

    private mutating func writeLines(_ text: String, in field: LayoutField) {
        guard let box = field.box else { return }
        setColour(alpha: 0.95)
        var y = box.y - box.height / 2 + 6
        for line in text.split(separator: "\n") where y < box.y + box.height / 2 - 4 {
            handwriting.write(
                String(line), x: box.x - box.width / 2 + 5, y: y, size: 5, width: box.width - 10, using: &generator)
            y += 8
        }
    }

    // MARK: Marks

    private mutating func mark(_ bubble: Bubble) {
        var style = habits.style
        if generator.chance(habits.changedStyle) {
            style = MarkStyle.allCases.randomElement(using: &generator) ?? style
        }
        let drawing = MarkDrawing(cairo: canvas.context, bubble: bubble)
        switch style {
        case .full:
            setColour(alpha: 0.9)
            drawing.blob(scale: generator.uniform(0.9...1.04), using: &generator)
            drawing.strokes(across: 0...1, pitch: 0.5, line: 0.4, using: &generator)
        case .light:
            // Light strokes with paper between them: about half the darkness of a full mark.
            setColour(alpha: 0.42)
            drawing.blob(scale: generator.uniform(0.85...0.98), using: &generator)
            setColour(alpha: 0.35)
            drawing.strokes(across: 0...1, pitch: 0.55, line: 0.35, using: &generator)
        case .partial:
            setColour(alpha: 0.9)
            let share = generator.uniform(0.45...0.75)
            let start = generator.uniform(0...(1 - share))
            drawing.blob(scale: 0.95, across: start...(start + share), using: &generator)
            drawing.strokes(across: start...(start + share), pitch: 0.5, line: 0.4, using: &generator)
        case .overflow:
            setColour(alpha: 0.92)
            drawing.blob(scale: generator.uniform(1.08...1.22), wobble: 0.3, using: &generator)
            drawing.strokes(across: -0.08...1.08, pitch: 0.45, line: 0.45, overshoot: 0.5, using: &generator)
        case .tick:
            setColour(alpha: 0.95)
            drawing.tick(line: generator.uniform(0.55...0.8), using: &generator)
        case .cross:
            setColour(alpha: 0.95)
            drawing.cross(line: generator.uniform(0.5...0.75), using: &generator)
        }
    }

    /// What an eraser leaves of an old mark.
    private mutating func smudge(_ bubble: Bubble) {
        let drawing = MarkDrawing(cairo: canvas.context, bubble: bubble)
        setColour(alpha: generator.uniform(0.06...0.16))
        drawing.blob(scale: generator.uniform(0.9...1.05), using: &generator)
        setColour(alpha: generator.uniform(0.04...0.1))
        drawing.strokes(across: -0.1...1.1, pitch: 0.9, line: 0.8, overshoot: 0.5, using: &generator)
    }

    private func setColour(alpha: Double) {
        let (red, green, blue) =
            switch habits.instrument {
            case .pencil: (0.22, 0.22, 0.24)
            case .blackPen: (0.06, 0.06, 0.08)
            case .bluePen: (0.1, 0.16, 0.55)
            }
        cairo_set_source_rgba(canvas.context, red, green, blue, alpha * habits.pressure)
    }
}
