/// Where everything is on a printed answer sheet. All lengths are millimetres; every `x`, `y` is the centre of the
/// thing it belongs to, counted from the top left corner of the page, x to the right and y downwards.
package struct SheetLayout: Codable, Equatable, Sendable {
    package var pages: [LayoutPage]

    package init(pages: [LayoutPage]) {
        self.pages = pages
    }
}

package struct LayoutPage: Codable, Equatable, Sendable {
    /// 1 for the first page.
    package var number: Int
    package var width: Double
    package var height: Double
    /// Four squares in the order top left, top right, bottom right, bottom left.
    package var cornerMarks: [CornerMark]
    /// The QR code that names exam, page and variant; nil on sheets this project did not print.
    package var code: PageCode?
    package var fields: [LayoutField]
    /// What is printed besides fields: headings, question numbers, instructions. Of no use to recognition.
    package var texts: [PrintedText]
    /// Lines, frames and examples printed besides fields. Of no use to recognition.
    package var shapes: [PrintedShape]

    package init(
        number: Int, width: Double, height: Double, cornerMarks: [CornerMark], code: PageCode?, fields: [LayoutField],
        texts: [PrintedText] = [], shapes: [PrintedShape] = []
    ) {
        self.number = number
        self.width = width
        self.height = height
        self.cornerMarks = cornerMarks
        self.code = code
        self.fields = fields
        self.texts = texts
        self.shapes = shapes
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        number = try container.decode(Int.self, forKey: .number)
        width = try container.decode(Double.self, forKey: .width)
        height = try container.decode(Double.self, forKey: .height)
        cornerMarks = try container.decode([CornerMark].self, forKey: .cornerMarks)
        code = try container.decodeIfPresent(PageCode.self, forKey: .code)
        fields = try container.decode([LayoutField].self, forKey: .fields)
        texts = try container.decodeIfPresent([PrintedText].self, forKey: .texts) ?? []
        shapes = try container.decodeIfPresent([PrintedShape].self, forKey: .shapes) ?? []
    }

    enum CodingKeys: String, CodingKey {
        case number
        case width = "width_mm"
        case height = "height_mm"
        case cornerMarks = "corner_marks"
        case code, fields, texts, shapes
    }
}

/// A black square. The top left one has a white square of half its size in its middle, so a page that was fed upside
/// down or sideways is told from the marks alone.
package struct CornerMark: Codable, Equatable, Sendable {
    package var x: Double
    package var y: Double
    /// Length of a side.
    package var size: Double
    package var hollow: Bool

    package init(x: Double, y: Double, size: Double, hollow: Bool) {
        self.x = x
        self.y = y
        self.size = size
        self.hollow = hollow
    }
}

/// A QR code.
package struct PageCode: Codable, Equatable, Sendable {
    package var x: Double
    package var y: Double
    /// Length of a side without the quiet zone.
    package var size: Double
    /// `ZY1:<exam>:<page>:<variant>`, with `:<student>` at the end on a pre-filled sheet.
    package var payload: String

    package init(x: Double, y: Double, size: Double, payload: String) {
        self.x = x
        self.y = y
        self.size = size
        self.payload = payload
    }
}

package struct LayoutField: Codable, Equatable, Sendable {
    package enum Kind: String, Codable, Sendable {
        /// One group of bubbles; any number of them may be marked.
        case choice
        /// A column of bubbles a character; `position` tells the column.
        case digits
        /// A box with a short written answer.
        case text
        /// A box people look at.
        case open
    }

    /// `student_id`, or `q` and the question's number.
    package var name: String
    package var kind: Kind
    package var bubbles: [Bubble]
    /// The written area of `text` and `open`; the frame around the bubbles of `choice` and `digits`, if printed.
    package var box: Box?
    /// Characters a `text` field may hold; nil means any.
    package var alphabet: String?
    /// True when at most one bubble of a `choice` field may be marked.
    package var single: Bool

    package init(
        name: String, kind: Kind, bubbles: [Bubble] = [], box: Box? = nil, alphabet: String? = nil, single: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.bubbles = bubbles
        self.box = box
        self.alphabet = alphabet
        self.single = single
    }
}

package struct Bubble: Codable, Equatable, Sendable {
    package var value: String
    /// The column of a digit, 0 at the left; always 0 for choices.
    package var position: Int
    package var x: Double
    package var y: Double
    package var width: Double
    package var height: Double

    package init(value: String, position: Int = 0, x: Double, y: Double, width: Double, height: Double) {
        self.value = value
        self.position = position
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }
}

/// A rectangle around its centre.
package struct Box: Codable, Equatable, Sendable {
    package var x: Double
    package var y: Double
    package var width: Double
    package var height: Double

    package init(x: Double, y: Double, width: Double, height: Double) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }
}

/// A line of print. `x` is its left end, middle or right end as `anchor` says; `y` is its vertical middle.
package struct PrintedText: Codable, Equatable, Sendable {
    package enum Anchor: String, Codable, Sendable {
        case start, middle, end
    }

    package var text: String
    package var x: Double
    package var y: Double
    /// Height of the font in millimetres.
    package var size: Double
    package var anchor: Anchor
    package var bold: Bool
    /// The print is squeezed to this width if it would be wider; nil means no limit.
    package var maxWidth: Double?

    package init(
        text: String, x: Double, y: Double, size: Double, anchor: Anchor = .start, bold: Bool = false,
        maxWidth: Double? = nil
    ) {
        self.text = text
        self.x = x
        self.y = y
        self.size = size
        self.anchor = anchor
        self.bold = bold
        self.maxWidth = maxWidth
    }

    enum CodingKeys: String, CodingKey {
        case text, x, y, size, anchor, bold
        case maxWidth = "max_width"
    }
}

/// A line, a frame or an example of print around its centre.
package struct PrintedShape: Codable, Equatable, Sendable {
    package enum Kind: String, Codable, Sendable {
        /// A thin dark rectangle to write in.
        case frame
        /// A light rectangle around what belongs together.
        case panel
        /// A light grey area behind a heading.
        case band
        /// A horizontal line to write on; its height is 0.
        case rule
        /// An example of a bubble filled as it should be.
        case filledExample = "filled_example"
        /// Examples of bubbles filled as they should not be.
        case tickedExample = "ticked_example"
        case crossedExample = "crossed_example"
        case partlyFilledExample = "partly_filled_example"
    }

    package var kind: Kind
    package var x: Double
    package var y: Double
    package var width: Double
    package var height: Double

    package init(_ kind: Kind, x: Double, y: Double, width: Double, height: Double) {
        self.kind = kind
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }
}
