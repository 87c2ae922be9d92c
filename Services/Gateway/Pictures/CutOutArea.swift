import Domain

/// The part of a page that shows a question, and no other.
enum CutOutArea {
    /// Margins around the field's own print that are tried, in millimetres, the widest first: the number of the question
    /// stands to the left of it.
    private static let margins = [5.0, 4, 3, 2, 1, 0.5, 0]

    /// - Returns: nil when the page does not have the field.
    static func area(of name: String, on page: LayoutPage) -> Box? {
        guard let field = page.fields.first(where: { $0.name == name }), let core = Frame(field) else { return nil }
        let others = page.fields.filter { $0.name != name }.compactMap { Frame($0) }
        // Each side as far as nothing else comes into sight.
        var frame = core
        for side in [\Frame.left, \.top, \.right, \.bottom] {
            let outwards = side == \.left || side == \.top ? -1.0 : 1.0
            for margin in margins {
                var wider = frame
                wider[keyPath: side] += outwards * margin
                guard !others.contains(where: { $0.overlaps(wider) }) else { continue }
                frame = wider
                break
            }
        }
        return frame.box(inside: page)
    }

    private struct Frame {
        var left: Double
        var top: Double
        var right: Double
        var bottom: Double

        /// All that belongs to a field; nil for one without any place.
        init?(_ field: LayoutField) {
            let boxes =
                field.bubbles.map { Box(x: $0.x, y: $0.y, width: $0.width, height: $0.height) }
                + [field.box].compactMap { $0 }
            guard let first = boxes.first else { return nil }
            (left, right) = (first.x, first.x)
            (top, bottom) = (first.y, first.y)
            for box in boxes {
                left = min(left, box.x - box.width / 2)
                right = max(right, box.x + box.width / 2)
                top = min(top, box.y - box.height / 2)
                bottom = max(bottom, box.y + box.height / 2)
            }
        }

        func overlaps(_ other: Frame) -> Bool {
            left < other.right && other.left < right && top < other.bottom && other.top < bottom
        }

        func box(inside page: LayoutPage) -> Box? {
            let (left, right) = (max(left, 0), min(right, page.width))
            let (top, bottom) = (max(top, 0), min(bottom, page.height))
            guard right - left >= 1, bottom - top >= 1 else { return nil }
            return Box(x: (left + right) / 2, y: (top + bottom) / 2, width: right - left, height: bottom - top)
        }
    }
}
