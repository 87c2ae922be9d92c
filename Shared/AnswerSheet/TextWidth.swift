/// How wide a line of print will be, from the advance widths of Noto Sans CJK; exact for ASCII and Chinese, an upper
/// bound for most other scripts. Layouts are made without any font, so this is what lines are wrapped by.
enum TextWidth {
    /// - Returns: the width in the unit of `size`.
    static func of(_ text: String, size: Double, bold: Bool = false) -> Double {
        var sum = 0
        for scalar in text.unicodeScalars {
            sum += advance(of: scalar, bold: bold)
        }
        return Double(sum) * size / 1000
    }

    /// Lines of at most `width`; breaks at spaces and beside Chinese characters, within words only if it must.
    /// The last of `limit` lines ends in `…` when the text is longer.
    static func wrap(_ text: String, width: Double, size: Double, bold: Bool = false, limit: Int = .max) -> [String] {
        var lines: [String] = []
        var line = ""
        for piece in pieces(of: text) {
            if of(line + piece, size: size, bold: bold) <= width {
                line += piece
                continue
            }
            if !line.allSatisfy(\.isWhitespace) { lines.append(trimmed(line)) }
            line = ""
            for character in piece.drop(while: \.isWhitespace) {
                if !line.isEmpty, of(line + String(character), size: size, bold: bold) > width {
                    lines.append(line)
                    line = ""
                }
                line.append(character)
            }
        }
        if !line.allSatisfy(\.isWhitespace) { lines.append(trimmed(line)) }
        guard lines.count > limit else { return lines }
        var last = lines[limit - 1]
        while !last.isEmpty, of(last + "…", size: size, bold: bold) > width { last.removeLast() }
        return lines[..<(limit - 1)] + [last + "…"]
    }

    /// Words with the spaces behind them; Chinese characters one by one, with punctuation kept at their end.
    private static func pieces(of text: String) -> [String] {
        var pieces: [String] = []
        var open = false
        for character in text {
            let isSpace = character.isWhitespace
            let isWide = character.unicodeScalars.first.map { $0.value >= 0x2E80 } ?? false
            let closes = "，。；：！？、）》」”,.;:!?)".contains(character)
            if let last = pieces.indices.last, closes || isSpace || (open && !isWide) {
                pieces[last].append(isSpace ? " " : character)
            } else {
                pieces.append(isSpace ? " " : String(character))
            }
            open = !isSpace && !isWide
        }
        return pieces
    }

    private static func trimmed(_ line: String) -> String {
        var line = line
        while line.last?.isWhitespace == true { line.removeLast() }
        return line
    }

    private static func advance(of scalar: Unicode.Scalar, bold: Bool) -> Int {
        let value = Int(scalar.value)
        if (32..<127).contains(value) { return (bold ? boldASCII : regularASCII)[value - 32] }
        // Accented Latin, Greek and Cyrillic; the rest is taken as full width.
        return value < 0x590 && value != 0xB7 ? 800 : 1000
    }

    /// Thousandths of the font size, from the space on.
    private static let regularASCII = [
        224, 323, 474, 555, 555, 921, 680, 278, 338, 338, 467, 555, 278, 347, 278, 392, 555, 555, 555, 555, 555, 555,
        555, 555, 555, 555, 278, 278, 555, 555, 555, 474, 946, 608, 657, 638, 688, 589, 552, 689, 728, 293, 535, 646,
        543, 812, 723, 742, 633, 742, 635, 596, 599, 721, 575, 878, 573, 531, 603, 338, 392, 338, 555, 559, 606, 563,
        618, 510, 620, 554, 325, 564, 607, 275, 275, 552, 284, 926, 610, 606, 620, 620, 388, 468, 377, 607, 521, 802,
        498, 521, 475, 338, 270, 338, 555,
    ]
    private static let boldASCII = [
        227, 370, 574, 590, 590, 963, 740, 325, 378, 378, 507, 590, 325, 370, 325, 387, 590, 590, 590, 590, 590, 590,
        590, 590, 590, 590, 325, 325, 590, 590, 590, 514, 1007, 641, 681, 656, 714, 615, 585, 717, 757, 330, 568, 686,
        578, 853, 749, 770, 667, 770, 682, 624, 625, 748, 619, 915, 627, 580, 613, 378, 387, 378, 590, 567, 626, 591,
        644, 527, 644, 581, 372, 597, 640, 304, 306, 604, 315, 964, 641, 626, 644, 644, 436, 495, 421, 637, 576, 863,
        562, 574, 511, 378, 296, 378, 590,
    ]
}
