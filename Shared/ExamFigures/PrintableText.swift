/// Text of people, made fit to be printed on one line.
package enum PrintableText {
    /// Scalars that may stand on one another, such as accents.
    private static let maxStack = 4

    /// Without what is invisible or steers a printer (controls, directions, line ends, private characters), spaces
    /// taken together, and cut to `maxScalars` with `…` at the end.
    package static func line(_ text: String, maxScalars: Int) -> String {
        var result = "".unicodeScalars
        var stack = 0
        for scalar in text.unicodeScalars {
            if scalar.properties.isWhitespace || scalar.properties.generalCategory == .control {
                if result.last.map({ $0 != " " }) == true { result.append(" ") }
                stack = 0
                continue
            }
            switch scalar.properties.generalCategory {
            case .format, .privateUse, .surrogate, .unassigned, .lineSeparator, .paragraphSeparator: continue
            case .nonspacingMark, .enclosingMark, .spacingMark: stack += 1
            default: stack = 0
            }
            if stack > maxStack { continue }
            guard result.count < maxScalars else {
                result.removeLast()
                result.append("…")
                break
            }
            result.append(scalar)
        }
        if result.last == " " { result.removeLast() }
        return String(result)
    }
}
