/// Why a sheet could not be printed.
package struct PrintingError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// No installed font has Chinese characters.
        case fontMissing = "font_missing"
        /// The QR code's text is too long.
        case codeTooLong = "code_too_long"
        /// Cairo refused, out of memory as a rule.
        case drawingFailed = "drawing_failed"
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
