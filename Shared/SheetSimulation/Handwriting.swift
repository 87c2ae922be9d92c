import CCairo
import SheetPrinting

/// Writes text by hand: a handwriting font whose characters are each a little displaced, turned and resized.
struct Handwriting {
    /// Fonts of Debian's fonts-dkg-handwriting, fonts-breip, fonts-comic-neue, fonts-bwht and fonts-humor-sans. The
    /// last ones have capitals only, so they write numbers. Half of the students write as neatly as Comic Neue.
    private static let letterHands = ["DkgHandwriting", "Breip", "Comic Neue", "Comic Neue"]
    private static let numberHands = letterHands + ["Because We Organize", "Because We Mentor", "Humor Sans"]
    /// fonts-arphic-gkai00mp; then whatever is installed.
    private static let chinese = "AR PL KaitiM GB, LXGW WenKai, Noto Sans CJK SC, sans-serif"

    private let cairo: OpaquePointer
    private let letters: TextPainter
    private let numbers: TextPainter
    private let slant: Double

    init(cairo: OpaquePointer, hand: Int, slant: Double) throws(PrintingError) {
        self.cairo = cairo
        self.slant = slant
        letters = try TextPainter(
            cairo: cairo, family: "\(Self.letterHands[hand % Self.letterHands.count]), \(Self.chinese)")
        numbers = try TextPainter(
            cairo: cairo, family: "\(Self.numberHands[hand % Self.numberHands.count]), \(Self.chinese)")
    }

    /// Writes `text` from `x` on, centred on `y`, with `size` (mm), smaller if it would be wider than `width`. The
    /// colour is the one set on the context.
    func write(
        _ text: String, x: Double, y: Double, size: Double, width: Double, using generator: inout SeededGenerator
    ) {
        let isNumber = text.unicodeScalars.allSatisfy { "0123456789.-+".unicodeScalars.contains($0) }
        let painter = isNumber ? numbers : letters
        // Sizes in steps, so that shaped characters can be used again.
        var size = (size * 4).rounded() / 4
        let natural = painter.width(of: text, size: size) * 1.05
        if natural > width { size *= width / natural }
        var x = x
        for character in text {
            let glyph = String(character)
            let advance = painter.width(of: glyph, size: size)
            cairo_save(cairo)
            cairo_translate(cairo, x, y + generator.uniform(-0.25...0.25))
            cairo_rotate(cairo, generator.uniform(-0.05...0.05))
            let scale = generator.uniform(0.94...1.05)
            var shear = cairo_matrix_t(xx: scale, yx: 0, xy: -slant, yy: scale, x0: 0, y0: 0)
            cairo_transform(cairo, &shear)
            painter.print(glyph, x: 0, y: 0, size: size)
            cairo_restore(cairo)
            x += advance * 1.03 + generator.uniform(0...0.25)
        }
    }
}
