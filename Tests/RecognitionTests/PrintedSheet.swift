import Domain

@testable import Recognition

/// A page like those the project prints, and its drawing.
enum PrintedSheet {
    static let exam = ExamID("exam-1")

    /// A student number of eight digits, a numeric question, single and multiple choice questions and a text box.
    static func layout(questions: Int = 36, code: Bool = true) -> SheetLayout {
        var fields = [digits("student_id", columns: 8, symbols: "0123456789", x: 25, y: 45)]
        fields.append(digits("q90", columns: 5, symbols: "-.0123456789", x: 100, y: 45))
        for index in 0..<questions {
            let options = ["A", "B", "C", "D"]
            let x = 30 + Double(index % 4) * 42
            let y = 125 + Double(index / 4) * 9
            fields.append(
                LayoutField(
                    name: "q\(index + 1)", kind: .choice,
                    bubbles: options.enumerated().map {
                        Bubble(value: $1, x: x + Double($0) * 7.5, y: y, width: 5, height: 3.2)
                    }, single: index % 3 != 2))
        }
        fields.append(
            LayoutField(name: "q91", kind: .text, box: Box(x: 60, y: 225, width: 70, height: 10)))
        let size = 6.0
        let page = LayoutPage(
            number: 1, width: 210, height: 297,
            cornerMarks: [
                CornerMark(x: 18, y: 15, size: size, hollow: true),
                CornerMark(x: 192, y: 15, size: size, hollow: false),
                CornerMark(x: 192, y: 282, size: size, hollow: false),
                CornerMark(x: 18, y: 282, size: size, hollow: false),
            ],
            code: code ? PageCode(x: 172, y: 32, size: 18, payload: "ZY1:\(exam):1:0") : nil, fields: fields)
        return SheetLayout(pages: [page])
    }

    private static func digits(_ name: String, columns: Int, symbols: String, x: Double, y: Double) -> LayoutField {
        var bubbles: [Bubble] = []
        for column in 0..<columns {
            for (row, symbol) in symbols.enumerated() {
                bubbles.append(
                    Bubble(
                        value: String(symbol), position: column, x: x + Double(column) * 7, y: y + Double(row) * 5,
                        width: 5, height: 3.2))
            }
        }
        return LayoutField(name: name, kind: .digits, bubbles: bubbles)
    }

    /// The ordinary page on white paper, drawn once; never changed, only copied.
    nonisolated(unsafe) private static let ordinary = draw(layout().pages[0], paper: 255)

    /// The page as it comes from the printer.
    static func print(_ page: LayoutPage, paper: UInt8 = 255) -> Canvas {
        guard paper == 255, page == layout().pages[0] else { return draw(page, paper: paper) }
        let copy = Canvas(width: page.width, height: page.height)
        copy.image.pixels.update(from: ordinary.image.pixels, count: copy.image.width * copy.image.height)
        return copy
    }

    private static func draw(_ page: LayoutPage, paper: UInt8) -> Canvas {
        let canvas = Canvas(width: page.width, height: page.height, paper: paper)
        for mark in page.cornerMarks {
            canvas.rectangle(x: mark.x, y: mark.y, width: mark.size, height: mark.size, ink: 1)
            if mark.hollow { whiten(canvas, mark, paper: paper) }
        }
        if let code = page.code { canvas.qr(code) }
        for field in page.fields {
            for bubble in field.bubbles {
                canvas.ellipseOutline(
                    x: bubble.x, y: bubble.y, width: bubble.width, height: bubble.height, line: 0.2, ink: 0.8)
                letter(bubble, on: canvas)
            }
            if let box = field.box { canvas.frame(box) }
        }
        return canvas
    }

    /// Something of a letter's size and weight; which strokes depends on the value.
    private static func letter(_ bubble: Bubble, on canvas: Canvas) {
        let shape = Int(bubble.value.utf8.first ?? 0)
        let (x, y, h) = (bubble.x, bubble.y, 0.9)
        var strokes: [[(Double, Double)]] = [[(x - 0.5, y - h), (x - 0.5, y + h)]]
        if shape & 1 == 1 { strokes.append([(x + 0.5, y - h), (x + 0.5, y + h)]) }
        if shape & 2 == 2 { strokes.append([(x - 0.5, y), (x + 0.5, y)]) }
        if shape & 4 == 4 { strokes.append([(x - 0.5, y - h), (x + 0.5, y - h)]) }
        for stroke in strokes { canvas.stroke(stroke, width: 0.25, ink: 0.45) }
    }

    private static func whiten(_ canvas: Canvas, _ mark: CornerMark, paper: UInt8) {
        let s = Canvas.scale
        for row in Int((mark.y - mark.size / 4) * s)..<Int((mark.y + mark.size / 4) * s) {
            for column in Int((mark.x - mark.size / 4) * s)..<Int((mark.x + mark.size / 4) * s) {
                canvas.image[column, row] = paper
            }
        }
    }
}
