import CCairo

/// The page of a report that is being filled from the top; all lengths are millimetres.
final class ReportPage {
    static let width = 210.0
    static let height = 297.0
    static let left = 15.0
    static let right = 195.0
    static let top = 16.0
    /// Nothing but the footer goes below.
    static let bottom = 280.0

    /// Where the next thing goes.
    var y = ReportPage.top
    private(set) var number = 1
    private let file: PDFFile
    private let text: TextPainter
    private let title: String

    init(file: PDFFile, text: TextPainter, title: String) {
        self.file = file
        self.text = text
        self.title = title
    }

    /// Room that is left.
    var room: Double { Self.bottom - y }

    /// Begins a new page unless `height` still fits.
    /// - Returns: true for a new one.
    @discardableResult
    func ensure(_ height: Double) -> Bool {
        guard room < height else { return false }
        end()
        number += 1
        y = Self.top
        return true
    }

    /// Finishes the page with its footer.
    func end() {
        shade(0.4)
        line(title, x: Self.left, y: 287, size: 2.6, maxWidth: 140)
        line("第 \(number) 页 Page \(number)", x: Self.right, y: 287, size: 2.6, anchor: 1)
        file.endPage()
        text.forget()
    }

    /// The heading of a section.
    func heading(_ words: String) {
        shade(0.91)
        box(Self.left, y, Self.right - Self.left, 6.5)
        shade(0)
        line(words, x: Self.left + 2, y: y + 3.25, size: 3.6, bold: true)
        y += 9.5
    }

    /// Words over several lines, moving down.
    func paragraph(_ words: String, size: Double, bold: Bool = false, maxLines: Int = 6) {
        for words in wrapped(words, size: size, bold: bold, maxLines: maxLines) {
            line(words, x: Self.left, y: y + size / 2, size: size, bold: bold, maxWidth: Self.right - Self.left)
            y += size * 1.45
        }
    }

    func line(
        _ words: String, x: Double, y: Double, size: Double, bold: Bool = false, anchor: Double = 0,
        maxWidth: Double? = nil
    ) {
        if words.isEmpty { return }
        text.print(words, x: x, y: y, size: size, bold: bold, anchor: anchor, maxWidth: maxWidth)
    }

    /// - Parameter gray: 0 black to 1 white, of what is drawn from now on.
    func shade(_ gray: Double) {
        cairo_set_source_rgb(file.context, gray, gray, gray)
    }

    /// A filled rectangle by its top left corner.
    func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double) {
        cairo_rectangle(file.context, x, y, width, height)
        cairo_fill(file.context)
    }

    /// A line across the page.
    func rule(y: Double) {
        box(Self.left, y, Self.right - Self.left, 0.15)
    }

    /// Broken at spaces where it can be, and anywhere else where it must; the last line ends in `…` when there is more.
    private func wrapped(_ words: String, size: Double, bold: Bool, maxLines: Int) -> [String] {
        let width = Self.right - Self.left
        var lines: [String] = []
        var rest = words[...]
        while !rest.isEmpty {
            let fitting = longestPrefix(of: rest, size: size, bold: bold, width: width)
            if fitting.endIndex == rest.endIndex {
                lines.append(String(rest))
                return lines
            }
            if lines.count == maxLines - 1 {
                lines.append(String(fitting.dropLast()) + "…")
                return lines
            }
            // A word of more than half a line is broken all the same.
            let space = fitting.lastIndex(of: " ").flatMap { fitting[..<$0].count * 2 > fitting.count ? $0 : nil }
            lines.append(String(fitting[..<(space ?? fitting.endIndex)]))
            rest = rest[(space ?? fitting.endIndex)...].drop { $0 == " " }
        }
        return lines
    }

    /// Of one character at least.
    private func longestPrefix(of words: Substring, size: Double, bold: Bool, width: Double) -> Substring {
        var (low, high) = (1, words.count)
        while low < high {
            let middle = (low + high + 1) / 2
            if text.width(of: String(words.prefix(middle)), size: size, bold: bold) <= width {
                low = middle
            } else {
                high = middle - 1
            }
        }
        return words.prefix(low)
    }
}
