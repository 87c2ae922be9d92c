package import Domain

/// Makes the answer sheet of an exam: where everything on its pages is. The same exam always gives the same layout.
package struct AnswerSheetLayout {
    /// - Parameters:
    ///   - variant: names the version of the paper in the QR code, for exams with shuffled questions.
    ///   - student: prints and encodes the student's id instead of a grid to fill it in. Must not hold a colon.
    ///
    /// The box of an open answer is as high as asked, but never higher than what the header leaves of a page
    /// (about 120 to 190 mm).
    package static func make(for exam: Exam, variant: String = "A", student: String? = nil) -> SheetLayout {
        var flow = SheetFlow(header: SheetHeader(exam: exam, student: student).block())
        for (index, section) in SheetSection.sections(of: exam.questions).enumerated() {
            flow.append(section, index: index)
        }
        let count = flow.pages.count
        return SheetLayout(
            pages: flow.pages.enumerated().map { index, content in
                page(content, number: index + 1, of: count, exam: exam, variant: variant, student: student)
            })
    }

    private static func page(
        _ content: SheetBlock, number: Int, of count: Int, exam: Exam, variant: String, student: String?
    ) -> LayoutPage {
        var content = content
        content.print(
            "第 \(number) 页，共 \(count) 页 · Page \(number) of \(count)", x: SheetMeasure.pageWidth / 2,
            y: SheetMeasure.footerY, size: 2.8, anchor: .middle)
        let payload = ["ZY1", exam.id.rawValue, "\(number)", variant] + (student.map { [$0] } ?? [])
        return LayoutPage(
            number: number, width: SheetMeasure.pageWidth, height: SheetMeasure.pageHeight, cornerMarks: cornerMarks,
            code: PageCode(
                x: SheetMeasure.codeX, y: SheetMeasure.codeY, size: SheetMeasure.codeSize,
                payload: payload.joined(separator: ":")),
            fields: content.fields, texts: content.texts, shapes: content.shapes)
    }

    private static var cornerMarks: [CornerMark] {
        [
            (SheetMeasure.markLeft, SheetMeasure.markTop), (SheetMeasure.markRight, SheetMeasure.markTop),
            (SheetMeasure.markRight, SheetMeasure.markBottom), (SheetMeasure.markLeft, SheetMeasure.markBottom),
        ].enumerated().map { index, place in
            CornerMark(x: place.0, y: place.1, size: SheetMeasure.markSize, hollow: index == 0)
        }
    }
}
