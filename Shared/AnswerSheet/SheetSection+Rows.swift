import Domain

extension SheetSection {
    /// The section as rows that fill a panel from its top, none higher than `space` (millimetres).
    func rows(space: Double) -> [SheetBlock] {
        switch kind {
        case .singleChoice, .multipleChoice, .trueFalse: choiceRows()
        case .digits: digitRows()
        case .written: writtenRows()
        case .open: questions.map { Self.openRow($0, space: space) }
        }
    }

    // MARK: Choices

    /// Blocks of five questions (fewer when that fills one row of blocks evenly), side by side in as many columns as
    /// the widest question allows.
    private func choiceRows() -> [SheetBlock] {
        let options = questions.map(\.optionLetters.count).max() ?? 2
        let columns = options <= 2 ? 5 : options <= 4 ? 4 : options <= 6 ? 3 : 2
        let columnWidth = SheetMeasure.contentWidth / Double(columns)
        let blockSize = min(5, (questions.count + columns - 1) / columns)
        let blocks = stride(from: 0, to: questions.count, by: blockSize).map { start in
            Self.choiceBlock(questions[start..<min(start + blockSize, questions.count)])
        }
        return stride(from: 0, to: blocks.count, by: columns).map { start in
            var row = SheetBlock()
            for (column, block) in blocks[start..<min(start + columns, blocks.count)].enumerated() {
                row.add(block, x: Double(column) * columnWidth, y: 0)
            }
            row.height += 3
            return row
        }
    }

    private static func choiceBlock(_ questions: ArraySlice<Question>) -> SheetBlock {
        var block = SheetBlock()
        for (row, question) in questions.enumerated() {
            let y = (Double(row) + 0.5) * SheetMeasure.questionPitch
            block.print("\(question.number)", x: 6.8, y: y, size: 3.3, anchor: .end, bold: true)
            let bubbles = question.optionLetters.enumerated().map { column, letter in
                Bubble(
                    value: letter, x: 11.2 + Double(column) * SheetMeasure.optionPitch, y: y,
                    width: SheetMeasure.bubbleWidth, height: SheetMeasure.bubbleHeight)
            }
            block.fields.append(
                LayoutField(
                    name: question.fieldName, kind: .choice, bubbles: bubbles,
                    single: question.kind != .multipleChoice))
        }
        block.height = Double(questions.count) * SheetMeasure.questionPitch
        return block
    }

    // MARK: Digits

    private func digitRows() -> [SheetBlock] {
        let gap = 4.0
        var rows: [SheetBlock] = []
        var row = SheetBlock()
        var x = 0.0
        for question in questions {
            let grid = DigitGrid(columns: question.digits ?? 1, values: DigitGrid.signedValues)
            if x > 0, x + grid.width > SheetMeasure.contentWidth {
                rows.append(row)
                row = SheetBlock()
                x = 0
            }
            var block = grid.block(name: question.fieldName, top: 5)
            block.print("\(question.number)", x: 0.5, y: 2, size: 3.3, bold: true)
            row.add(block, x: x, y: 0)
            row.height = block.height + 3
            x += grid.width + gap
        }
        return rows + [row]
    }

    // MARK: Written answers

    /// Two boxes a row, or one when an answer of the section needs the room.
    private func writtenRows() -> [SheetBlock] {
        let isWide = questions.contains { question in
            question.kind == .shortText && question.acceptedAnswers.contains { Self.handwritingWidth($0) > 64 }
        }
        let columns = isWide ? 1 : 2
        let columnWidth = SheetMeasure.contentWidth / Double(columns)
        return stride(from: 0, to: questions.count, by: columns).map { start in
            var row = SheetBlock()
            for (column, question) in questions[start..<min(start + columns, questions.count)].enumerated() {
                let left = Double(column) * columnWidth
                let width = columnWidth - 8 - (columns == 2 && column == 0 ? 5 : 0)
                let top = 1.0
                let box = Box(
                    x: left + 8 + width / 2, y: top + SheetMeasure.writtenBoxHeight / 2, width: width,
                    height: SheetMeasure.writtenBoxHeight)
                row.print("\(question.number)", x: left + 6.2, y: box.y, size: 3.3, anchor: .end, bold: true)
                row.fields.append(
                    LayoutField(
                        name: question.fieldName, kind: .text, box: box,
                        alphabet: question.kind == .numeric ? "0123456789.-" : nil))
            }
            row.height = SheetMeasure.writtenBoxHeight + 4
            return row
        }
    }

    /// Room an ordinary hand needs: 8 mm a Chinese character, 4.5 mm a letter.
    private static func handwritingWidth(_ text: String) -> Double {
        text.unicodeScalars.reduce(0) { $0 + ($1.value >= 0x2E80 ? 8 : 4.5) }
    }

    private static func openRow(_ question: Question, space: Double) -> SheetBlock {
        let headHeight = 6.0
        let tail = 3.0
        let height = min(question.height ?? 60, space - headHeight - tail)
        var row = SheetBlock()
        row.print("\(question.number)", x: 0.5, y: headHeight / 2, size: 3.3, bold: true)
        row.print("（\(question.points.pointsNote)）", x: 7, y: headHeight / 2, size: 2.7)
        let box = Box(
            x: SheetMeasure.contentWidth / 2, y: headHeight + height / 2, width: SheetMeasure.contentWidth,
            height: height)
        row.fields.append(LayoutField(name: question.fieldName, kind: .open, box: box))
        row.height = headHeight + height + tail
        return row
    }
}
