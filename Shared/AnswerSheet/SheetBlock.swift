import Domain

/// Print and fields that stay together, placed relative to the block's top left corner.
struct SheetBlock {
    var height = 0.0
    var fields: [LayoutField] = []
    var texts: [PrintedText] = []
    var shapes: [PrintedShape] = []

    /// Puts `other` into this block with its corner at `x`, `y`.
    mutating func add(_ other: SheetBlock, x: Double, y: Double) {
        for var field in other.fields {
            for index in field.bubbles.indices {
                field.bubbles[index].x = (field.bubbles[index].x + x).hundredths
                field.bubbles[index].y = (field.bubbles[index].y + y).hundredths
            }
            if let box = field.box {
                field.box = Box(
                    x: (box.x + x).hundredths, y: (box.y + y).hundredths, width: box.width.hundredths,
                    height: box.height.hundredths)
            }
            fields.append(field)
        }
        for var text in other.texts {
            text.x = (text.x + x).hundredths
            text.y = (text.y + y).hundredths
            texts.append(text)
        }
        for var shape in other.shapes {
            shape.x = (shape.x + x).hundredths
            shape.y = (shape.y + y).hundredths
            shapes.append(shape)
        }
        height = max(height, y + other.height)
    }

    /// A line of print; see `PrintedText` for what the numbers mean.
    mutating func print(
        _ text: String, x: Double, y: Double, size: Double, anchor: PrintedText.Anchor = .start, bold: Bool = false,
        maxWidth: Double? = nil
    ) {
        texts.append(
            PrintedText(
                text: text, x: x.hundredths, y: y.hundredths, size: size, anchor: anchor, bold: bold,
                maxWidth: maxWidth?.hundredths))
    }

    /// A shape by its top left corner.
    mutating func draw(_ kind: PrintedShape.Kind, left: Double, top: Double, width: Double, height: Double) {
        shapes.append(
            PrintedShape(
                kind, x: (left + width / 2).hundredths, y: (top + height / 2).hundredths, width: width.hundredths,
                height: height.hundredths))
    }
}
