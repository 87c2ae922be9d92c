import Domain

/// What stands at the top of every page: title, name, student id, instructions.
struct SheetHeader {
    var exam: Exam
    /// The student the sheet is printed for; nil prints a grid to fill the id in.
    var student: String?

    /// The header in page coordinates; its height is where the questions may start.
    func block() -> SheetBlock {
        var block = titleBlock()
        let top = SheetMeasure.panelTop
        let grid = DigitGrid(columns: exam.studentIDDigits, values: DigitGrid.plainValues)
        let gridWidth = grid.width + 2 * SheetMeasure.padding
        let besideGrid = SheetMeasure.width - gridWidth - SheetMeasure.sectionGap
        if student != nil {
            block.add(wideInformation(), x: SheetMeasure.left, y: top)
        } else if besideGrid >= 80 {
            let gridPanel = gridPanel(grid, width: gridWidth)
            block.add(tallInformation(width: besideGrid, height: gridPanel.height), x: SheetMeasure.left, y: top)
            block.add(gridPanel, x: SheetMeasure.right - gridWidth, y: top)
        } else {
            let information = wideInformation()
            block.add(information, x: SheetMeasure.left, y: top)
            block.add(
                gridPanel(grid, width: SheetMeasure.width), x: SheetMeasure.left,
                y: top + information.height + SheetMeasure.sectionGap)
        }
        block.height += SheetMeasure.sectionGap
        return block
    }

    /// Title, subject and points, left of the QR code.
    private func titleBlock() -> SheetBlock {
        var block = SheetBlock()
        let width = SheetMeasure.titleWidth
        let single = TextWidth.of(exam.title, size: 5.4, bold: true) <= width
        let size = single ? 5.4 : TextWidth.wrap(exam.title, width: width, size: 4.6, bold: true).count <= 2 ? 4.6 : 3.7
        let lines = TextWidth.wrap(exam.title, width: width, size: size, bold: true, limit: size < 4 ? 3 : 2)
        let pitch = size * 1.3
        var y = (lines.count == 1 ? 16.5 : 13.5)
        for line in lines {
            block.print(line, x: SheetMeasure.titleLeft, y: y, size: size, bold: true, maxWidth: width)
            y += pitch
        }
        let tail = "答题卡 Answer sheet · 满分 \(exam.maxScore.pointsNote)"
        let head = exam.subject.isEmpty ? "" : exam.subject + " · "
        let room = width - TextWidth.of(tail, size: 3.2)
        let subject = head.isEmpty ? [] : TextWidth.wrap(head, width: room, size: 3.2, limit: 1)
        block.print(
            (subject.first.map { $0.hasSuffix("…") ? $0 + " · " : $0 + " " } ?? "") + tail, x: SheetMeasure.titleLeft,
            y: max(y, 24), size: 3.2, maxWidth: width)
        return block
    }

    private func gridPanel(_ grid: DigitGrid, width: Double) -> SheetBlock {
        var block = SheetBlock()
        let headingHeight = SheetMeasure.headingHeight
        let inner = grid.block(name: "student_id", top: 0)
        block.height = headingHeight + SheetMeasure.padding + inner.height + SheetMeasure.padding
        block.draw(.band, left: 0, top: 0, width: width, height: headingHeight)
        block.draw(.panel, left: 0, top: 0, width: width, height: block.height)
        block.print(
            "准考证号 Student ID", x: width / 2, y: headingHeight / 2, size: 3.3, anchor: .middle, bold: true,
            maxWidth: width - 2)
        block.add(inner, x: (width - grid.width) / 2, y: headingHeight + SheetMeasure.padding)
        block.height = headingHeight + SheetMeasure.padding + inner.height + SheetMeasure.padding
        return block
    }

    /// Beside the student-id grid: name and class, instructions below.
    private func tallInformation(width: Double, height: Double) -> SheetBlock {
        var block = SheetBlock()
        block.draw(.panel, left: 0, top: 0, width: width, height: height)
        block.add(lines(width: width), x: 0, y: 2)
        block.draw(.band, left: 0, top: 23, width: width, height: SheetMeasure.headingHeight)
        block.print(
            "注意事项 Instructions", x: SheetMeasure.padding, y: 23 + SheetMeasure.headingHeight / 2, size: 3.3, bold: true)
        var y = 33.0
        let examplesTop = height - 9
        let size = 2.6
        let texts = Self.instructions.map { instruction in
            [instruction.chinese, instruction.english].flatMap {
                TextWidth.wrap($0, width: width - 2 * SheetMeasure.padding, size: size)
            }
        }
        let pitch = min(4, (examplesTop - 31) / Double(texts.reduce(0) { $0 + $1.count } + 1))
        for line in texts.joined() {
            block.print(
                line, x: SheetMeasure.padding, y: y, size: min(size, pitch / 1.25),
                maxWidth: width - 2 * SheetMeasure.padding)
            y += pitch
        }
        block.add(Self.examples(width: width), x: 0, y: examplesTop)
        block.height = height
        return block
    }

    /// Across the page: name, class and a printed id at the left, instructions at the right.
    private func wideInformation() -> SheetBlock {
        var block = SheetBlock()
        let half = 72.0
        let height = 32.0
        block.draw(.panel, left: 0, top: 0, width: SheetMeasure.width, height: height)
        block.add(lines(width: half), x: 0, y: student == nil ? 5 : 1.5)
        if let student {
            block.print("准考证号 Student ID", x: SheetMeasure.padding, y: 26, size: 3)
            block.print(
                student, x: SheetMeasure.padding + 32, y: 26, size: 4.4, bold: true,
                maxWidth: half - 32 - SheetMeasure.padding)
        }
        let width = SheetMeasure.width - half
        var y = 4.2
        for instruction in Self.instructions {
            block.print(
                instruction.chinese, x: half + 4, y: y, size: 2.5, maxWidth: width - 4 - SheetMeasure.padding)
            block.print(
                instruction.english, x: half + 4, y: y + 3.1, size: 2.3, maxWidth: width - 4 - SheetMeasure.padding)
            y += 6.4
        }
        block.add(Self.examples(width: width), x: half + 1, y: height - 8.2)
        block.height = height
        return block
    }

    /// Lines to write name and class on.
    private func lines(width: Double) -> SheetBlock {
        var block = SheetBlock()
        for (index, label) in ["姓名 Name", "班级 Class"].enumerated() {
            let y = 6 + Double(index) * 9
            let labelWidth = 19.0
            block.print(label, x: SheetMeasure.padding, y: y, size: 3)
            block.draw(
                .rule, left: SheetMeasure.padding + labelWidth, top: y + 2.6,
                width: width - labelWidth - 2 * SheetMeasure.padding, height: 0)
        }
        return block
    }

    private static let instructions: [(chinese: String, english: String)] = [
        ("1. 用 2B 铅笔或黑色签字笔填满填涂框。", "Fill bubbles completely with a 2B pencil or a black pen."),
        ("2. 修改时用橡皮擦干净，不要留下痕迹。", "To change an answer, erase the old mark completely."),
        ("3. 保持卡面清洁，不要折叠，不要遮挡黑色方块和二维码。", "Keep the sheet clean and flat; leave the black squares and the code free."),
    ]

    private static func examples(width: Double) -> SheetBlock {
        var block = SheetBlock()
        let y = 4.0
        let bubble = (width: SheetMeasure.bubbleWidth, height: SheetMeasure.bubbleHeight)
        func example(_ kind: PrintedShape.Kind, _ x: Double) {
            block.shapes.append(
                PrintedShape(kind, x: x.hundredths, y: y, width: bubble.width, height: bubble.height))
        }
        block.print("填涂示例 How to fill:", x: SheetMeasure.padding, y: y, size: 2.6, bold: true)
        let start = SheetMeasure.padding + 27
        block.print("正确 right", x: start, y: y, size: 2.6)
        example(.filledExample, start + 16)
        block.print("错误 wrong", x: start + 22, y: y, size: 2.6)
        example(.tickedExample, start + 40)
        example(.crossedExample, start + 46.4)
        if width >= 84 { example(.partlyFilledExample, start + 52.8) }
        return block
    }
}
