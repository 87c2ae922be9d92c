/// The fixed measures of the sheets this project prints, in millimetres.
enum SheetMeasure {
    static let pageWidth = 210.0
    static let pageHeight = 297.0

    static let markSize = 6.0
    static let markLeft = 18.0
    static let markRight = 192.0
    static let markTop = 15.0
    static let markBottom = 282.0
    /// White space kept around the corner marks.
    static let markQuietZone = 3.0

    static let codeX = 174.0
    static let codeY = 21.5
    static let codeSize = 20.0
    /// White space kept around the QR code; four modules of the largest code used.
    static let codeQuietZone = 2.2

    /// Left and right end of panels.
    static let left = 15.0
    static let right = 195.0
    static let width = right - left
    /// The left end of the title line; the corner mark is left of it.
    static let titleLeft = 26.0
    static let titleWidth = 134.0
    /// Panels start here, below the QR code and its quiet zone.
    static let panelTop = 35.0
    /// No field and no panel goes below; the bottom corner marks follow.
    static let bottom = 275.5
    static let footerY = 282.0

    static let bubbleWidth = 5.0
    static let bubbleHeight = 3.2
    /// Centre distance of bubbles side by side in choices.
    static let optionPitch = 7.4
    /// Centre distance of rows of choices.
    static let questionPitch = 5.8
    /// Centre distance of columns of digits.
    static let digitPitch = 7.2
    /// Centre distance of bubbles in a column of digits.
    static let digitRowPitch = 5.2
    static let digitBoxWidth = 6.2
    static let digitBoxHeight = 7.0

    static let headingHeight = 6.2
    /// White space between a panel's frame and what is in it.
    static let padding = 3.0
    /// Width inside a panel.
    static let contentWidth = width - 2 * padding
    static let sectionGap = 2.5
    static let writtenBoxHeight = 10.0
}

extension Double {
    /// Rounded to 0.01 mm, so that layouts read well and are the same everywhere.
    var hundredths: Double { (self * 100).rounded() / 100 }
}
