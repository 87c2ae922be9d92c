import CCairo
import Domain
import Glibc

/// The shapes marks are made of, drawn on one bubble with the colour set on the context. Lengths are millimetres.
struct MarkDrawing {
    let cairo: OpaquePointer
    let bubble: Bubble

    /// A filled area with an uneven edge; `across` is the part of the bubble's width it takes up.
    func blob(
        scale: Double, across: ClosedRange<Double> = 0...1, wobble: Double = 0.14,
        using generator: inout SeededGenerator
    ) {
        let width = bubble.width * (across.upperBound - across.lowerBound) * scale
        let x =
            bubble.x + bubble.width * ((across.lowerBound + across.upperBound) / 2 - 0.5)
            + generator.uniform(-0.15...0.15)
        let y = bubble.y + generator.uniform(-0.15...0.15)
        let corners = 20
        for corner in 0..<corners {
            let angle = Double(corner) / Double(corners) * 2 * .pi
            // Between an ellipse and a rectangle, as the bubble is.
            let reach = 1 / pow(pow(abs(cos(angle)), 3.5) + pow(abs(sin(angle)), 3.5), 1 / 3.5)
            let px = x + cos(angle) * reach * width / 2 + generator.uniform(-wobble...wobble)
            let py = y + sin(angle) * reach * bubble.height * scale / 2 + generator.uniform(-wobble...wobble)
            if corner == 0 { cairo_move_to(cairo, px, py) } else { cairo_line_to(cairo, px, py) }
        }
        cairo_close_path(cairo)
        cairo_fill(cairo)
    }

    /// Slanted strokes to and fro over a part of the bubble.
    func strokes(
        across: ClosedRange<Double>, pitch: Double, line: Double, overshoot: Double = 0.05,
        using generator: inout SeededGenerator
    ) {
        let left = bubble.x - bubble.width / 2
        var x = left + bubble.width * across.lowerBound + line / 2
        let end = left + bubble.width * across.upperBound - line / 2
        let half = bubble.height / 2 - line / 2
        cairo_set_line_width(cairo, line)
        cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND)
        cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND)
        var isUp = false
        cairo_move_to(cairo, x, bubble.y + half * generator.uniform(0.6...1))
        while x < end {
            x += pitch * generator.uniform(0.6...1.4)
            isUp.toggle()
            let reach = half * generator.uniform(0.75...1) + generator.uniform(0...overshoot)
            cairo_line_to(cairo, min(x, end) + (isUp ? 0.3 : 0), bubble.y + (isUp ? -reach : reach))
        }
        cairo_stroke(cairo)
    }

    /// A tick whose long arm may leave the bubble at the top.
    func tick(line: Double, using generator: inout SeededGenerator) {
        let (width, height) = (bubble.width, bubble.height)
        let x = bubble.x + generator.uniform(-0.4...0.2)
        let y = bubble.y + generator.uniform(-0.2...0.2)
        prepare(line)
        cairo_move_to(cairo, x - width * generator.uniform(0.28...0.42), y - height * generator.uniform(0...0.2))
        cairo_line_to(cairo, x - width * 0.08, y + height * generator.uniform(0.34...0.48))
        cairo_curve_to(
            cairo, x + width * 0.05, y + height * 0.1, x + width * 0.2, y - height * 0.25,
            x + width * generator.uniform(0.4...0.52), y - height * generator.uniform(0.45...0.7))
        cairo_stroke(cairo)
    }

    func cross(line: Double, using generator: inout SeededGenerator) {
        let x = bubble.x + generator.uniform(-0.3...0.3)
        let y = bubble.y + generator.uniform(-0.2...0.2)
        prepare(line)
        for side in [-1.0, 1.0] {
            let (dx, dy) = (
                bubble.width * generator.uniform(0.32...0.46), bubble.height * generator.uniform(0.42...0.55)
            )
            cairo_move_to(cairo, x - side * dx, y - dy)
            cairo_line_to(cairo, x + side * dx, y + dy)
        }
        cairo_stroke(cairo)
    }

    private func prepare(_ line: Double) {
        cairo_set_line_width(cairo, line)
        cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND)
        cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND)
    }
}
