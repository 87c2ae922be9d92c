import Domain

/// Columns of digit bubbles below a row of boxes to write the digits in.
struct DigitGrid {
    static let plainValues = (0...9).map { "\($0)" }
    static let signedValues = ["-", "."] + plainValues

    var columns: Int
    /// The values of each column, from the top.
    var values: [String]

    private static let inset = 1.5

    /// Width of the frame in millimetres.
    var width: Double { Double(columns) * SheetMeasure.digitPitch + 2 * Self.inset }

    /// - Parameter top: room for a heading above the frame, in millimetres.
    func block(name: String, top: Double) -> SheetBlock {
        var block = SheetBlock()
        let boxesTop = top + Self.inset
        let firstRow = boxesTop + SheetMeasure.digitBoxHeight + 1 + SheetMeasure.digitRowPitch / 2
        var bubbles: [Bubble] = []
        for column in 0..<columns {
            let x = Self.inset + (Double(column) + 0.5) * SheetMeasure.digitPitch
            block.draw(
                .frame, left: x - SheetMeasure.digitBoxWidth / 2, top: boxesTop, width: SheetMeasure.digitBoxWidth,
                height: SheetMeasure.digitBoxHeight)
            for (row, value) in values.enumerated() {
                bubbles.append(
                    Bubble(
                        value: value, position: column, x: x, y: firstRow + Double(row) * SheetMeasure.digitRowPitch,
                        width: SheetMeasure.bubbleWidth, height: SheetMeasure.bubbleHeight))
            }
        }
        let height = firstRow + Double(values.count) * SheetMeasure.digitRowPitch - SheetMeasure.digitRowPitch / 2 - top
        let frame = Box(x: width / 2, y: top + (height + 1) / 2, width: width, height: height + 1)
        block.fields = [LayoutField(name: name, kind: .digits, bubbles: bubbles, box: frame)]
        block.height = top + height + 1
        return block
    }
}
