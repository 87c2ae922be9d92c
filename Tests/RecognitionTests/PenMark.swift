import Domain
import Glibc

/// Ways people mark a bubble.
enum PenMark: String, CaseIterable {
    case full, pencil, light, tick, cross, partial, overflowing, sloppy

    /// Draws the mark with the variation of a hand.
    func draw(_ bubble: Bubble, on canvas: Canvas, using generator: inout SeededGenerator) {
        let dx = 0.2 * generator.gaussian()
        let dy = 0.15 * generator.gaussian()
        let (x, y) = (bubble.x + dx, bubble.y + dy)
        let (w, h) = (bubble.width, bubble.height)
        switch self {
        case .full:
            canvas.ellipse(
                x: x, y: y, width: w * 0.95, height: h * 0.95, ink: .random(in: 0.8...0.95, using: &generator))
        case .pencil:
            canvas.ellipse(x: x, y: y, width: w * 0.9, height: h * 0.9, ink: .random(in: 0.5...0.65, using: &generator))
        case .light:
            canvas.ellipse(
                x: x, y: y, width: w * 0.9, height: h * 0.9, ink: .random(in: 0.32...0.45, using: &generator))
        case .tick:
            canvas.stroke(
                [(x - 1.6, y - 0.1), (x - 0.4, y + 1.2), (x + 2.2, y - 1.9)], width: 0.5, ink: 0.85)
        case .cross:
            canvas.stroke([(x - 1.7, y - 1.4), (x + 1.7, y + 1.4)], width: 0.45, ink: 0.85)
            canvas.stroke([(x - 1.7, y + 1.4), (x + 1.7, y - 1.4)], width: 0.45, ink: 0.85)
        case .partial:
            let side = Bool.random(using: &generator) ? 1.0 : -1.0
            canvas.ellipse(x: x + side * w * 0.18, y: y, width: w * 0.58, height: h * 0.85, ink: 0.85)
        case .overflowing:
            canvas.ellipse(x: x + 0.5, y: y, width: w * 1.25, height: h * 1.2, ink: 0.9)
        case .sloppy:
            var points: [(Double, Double)] = []
            for step in 0...8 {
                let t = Double(step) / 8 * 2 - 1
                points.append((x + t * w * 0.4, y + (step % 2 == 0 ? -1 : 1) * h * 0.36))
            }
            canvas.stroke(points, width: 0.45, ink: 0.8)
        }
    }
}

extension Canvas {
    /// What a rubber leaves of a mark.
    func residue(_ bubble: Bubble, using generator: inout SeededGenerator) {
        ellipse(
            x: bubble.x, y: bubble.y, width: bubble.width, height: bubble.height,
            ink: .random(in: 0.05...0.13, using: &generator))
    }
}
