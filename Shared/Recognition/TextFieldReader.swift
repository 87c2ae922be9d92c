import Domain

/// Reads written fields of a page that lies flat. The network is loaded at the first field that holds writing.
final class TextFieldReader {
    private let configuration: ReaderConfiguration
    private let written = WrittenBox()
    private let line = GreyImage()
    private var model: TextModel?

    init(configuration: ReaderConfiguration) {
        self.configuration = configuration
    }

    /// Loads the network now; nothing happens when it is loaded or none is configured.
    func load() throws(ReadingFailure) {
        guard model == nil, let models = configuration.modelDirectory, let libraries = configuration.openVINODirectory
        else { return }
        model = try TextModel(modelDirectory: models, openVINODirectory: libraries)
    }

    /// Reads a `text` field, or tells whether an `open` one is blank.
    /// - Parameter shift: How far the print lies from where the layout says, in layout units.
    /// - Throws: `.readerUnavailable` when the configured network cannot be used.
    func read(
        _ field: LayoutField, shift: Point, from source: GreyImage, on page: PageRaster
    ) throws(ReadingFailure) -> FieldReading? {
        guard field.kind == .text || field.kind == .open, var box = field.box else { return nil }
        box.x += shift.x
        box.y += shift.y
        guard written.take(box, from: source, on: page) else {
            return FieldReading(value: "", confidence: 0.95, flags: [.blank])
        }
        guard field.kind == .text else { return FieldReading(value: "", confidence: 1) }
        try load()
        guard let model else { return FieldReading(value: "", confidence: 0, flags: [.unreadable]) }
        written.drawLine(into: line)
        let result = try model.read(line, alphabet: field.alphabet)
        let value = result.text.split(separator: " ").joined(separator: " ")
        guard !value.isEmpty else { return FieldReading(value: "", confidence: 0, flags: [.unreadable]) }
        let isSure =
            if let alphabet = field.alphabet {
                result.confidence >= configuration.alphabetConfidence && result.omission <= configuration.omission
                    && (!alphabet.contains(".") || Self.isNumber(value))
            } else {
                result.confidence >= configuration.textConfidence && !Self.mayHoldSpeck(value)
            }
        return FieldReading(value: value, confidence: result.confidence, flags: isSure ? [] : [.uncertain])
    }

    /// Marks as small as a speck of dirt or the rest of a frame, which the network reads with confidence.
    private static let smallMarks = Set<Character>(".,'`´-_·:;~^\"、。，．‘’“”—–")

    /// True for a plain decimal number whose point, if any, is between digits. Two points, or one at an end, may be dirt.
    static func isNumber(_ text: String) -> Bool {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        return Question.number(from: text) != nil && digits.first?.isNumber == true && digits.last?.isNumber == true
    }

    /// True when a small mark is not held by a letter or digit on both sides, as in "3.14" or "don't". Chinese characters
    /// hold none: they have no such marks between them, but in foreign names.
    static func mayHoldSpeck(_ text: String) -> Bool {
        let characters = Array(text)
        func isHeld(_ index: Int) -> Bool {
            characters.indices.contains(index) && (characters[index].isLetter || characters[index].isNumber)
                && !characters[index].isIdeograph
        }
        return characters.indices.contains { index in
            smallMarks.contains(characters[index]) && !(isHeld(index - 1) && isHeld(index + 1))
        }
    }
}

extension Character {
    fileprivate var isIdeograph: Bool { unicodeScalars.first?.properties.isIdeographic == true }
}
