/// Why a field's value should not be trusted as it stands, or why it is empty.
package enum FieldFlag: String, Codable, Sendable, CaseIterable {
    /// Nothing is marked or written.
    case blank
    /// More bubbles are marked than the field allows.
    case multiple
    /// The mark is too light to be sure of.
    case faint
    /// A mark seems to have been rubbed or crossed out.
    case erased
    /// Writing was found that could not be read.
    case unreadable
    /// The reader is unsure of a character or of which bubble is meant.
    case uncertain
}

/// What was read in one field.
package struct FieldReading: Codable, Equatable, Sendable {
    /// The marked options joined in order, the digits joined by column (`?` for a column that cannot be decided), or the
    /// text; empty when blank.
    package var value: String
    /// 0 to 1.
    package var confidence: Double
    package var flags: [FieldFlag]

    package init(value: String, confidence: Double, flags: [FieldFlag] = []) {
        self.value = value
        self.confidence = confidence
        self.flags = flags
    }
}

/// What is noteworthy about a whole page.
package enum PageFlag: String, Codable, Sendable, CaseIterable {
    /// The QR code could not be read; page and exam were inferred.
    case codeUnreadable = "code_unreadable"
    /// One corner mark was not found; its place was inferred from the other three.
    case cornerMarkMissing = "corner_mark_missing"
    /// Fewer than three corner marks: the page outline or the whole image was used instead.
    case cornersGuessed = "corners_guessed"
    /// The print did not land where the layout says; positions may be off.
    case misaligned
    /// Every field of the page is empty.
    case blankPage = "blank_page"
    /// The image has too few pixels a millimetre.
    case lowResolution = "low_resolution"
}

/// What was read on one page image.
package struct PageReading: Codable, Equatable, Sendable {
    /// The page of the layout, 1 for the first.
    package var page: Int
    /// The student named by a pre-filled code, if any.
    package var codedStudent: String?
    /// By field name, `student_id` included.
    package var fields: [String: FieldReading]
    package var flags: [PageFlag]
    /// Time from bytes to fields.
    package var milliseconds: Double

    package init(
        page: Int, codedStudent: String? = nil, fields: [String: FieldReading], flags: [PageFlag] = [],
        milliseconds: Double = 0
    ) {
        self.page = page
        self.codedStudent = codedStudent
        self.fields = fields
        self.flags = flags
        self.milliseconds = milliseconds
    }

    enum CodingKeys: String, CodingKey {
        case page
        case codedStudent = "coded_student"
        case fields, flags, milliseconds
    }
}

/// Why a page image could not be read at all.
package struct ReadingFailure: Error, Codable, Equatable, Sendable, CustomStringConvertible {
    package enum Code: String, Codable, Sendable, CaseIterable {
        /// The bytes are no PNG, JPEG, TIFF or PDF.
        case notAnImage = "not_an_image"
        /// The image is cut short or damaged.
        case damagedImage = "damaged_image"
        /// More pixels or bytes than allowed.
        case imageTooLarge = "image_too_large"
        /// The page holds no ink, not even print.
        case blankPage = "blank_page"
        /// No sheet of the expected layout is in the image.
        case noSheetFound = "no_sheet_found"
        /// The QR code names another exam.
        case wrongExam = "wrong_exam"
        /// The QR code cannot be read and the page cannot be told without it.
        case codeUnreadable = "code_unreadable"
        /// Reading took longer than allowed.
        case timedOut = "timed_out"
        /// The reader process ended unexpectedly on this image.
        case readerCrashed = "reader_crashed"
        /// The reader could not work, whatever the image: a part of the installation is missing.
        case readerUnavailable = "reader_unavailable"
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
