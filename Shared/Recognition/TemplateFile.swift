import Domain

/// The JSON of an OMRChecker template, as far as it is used.
struct TemplateFile: Decodable {
    struct Block: Decodable {
        var fieldType: String?
        var bubbleValues: [String]?
        var direction: String?
        var fieldLabels: [String]
        /// Top left corner of the first bubble's box.
        var origin: [Double]
        var bubblesGap: Double
        var labelsGap: Double
        var bubbleDimensions: [Double]?
    }

    struct PreProcessor: Decodable {
        struct Options: Decodable {
            var relativePath: String?
            var referenceImage: String?
            var sheetToMarkerWidthRatio: Double?
            var markerRescaleRange: [Int]?
            var minMatchingThreshold: Double?

            enum CodingKeys: String, CodingKey {
                case relativePath, referenceImage, sheetToMarkerWidthRatio
                case markerRescaleRange = "marker_rescale_range"
                case minMatchingThreshold = "min_matching_threshold"
            }
        }

        var name: String
        var options: Options?
    }

    var pageDimensions: [Double]
    var bubbleDimensions: [Double]
    var fieldBlocks: [String: Block]
    var customLabels: [String: [String]]?
    var preProcessors: [PreProcessor]?

    /// Expands `q1..10` (or `...`) to `q1`, `q2`, … `q10`; any other text stands for itself.
    static func labels(in text: String) throws -> [String] {
        guard let dots = text.firstRange(of: "..") else { return [text] }
        let head = text[..<dots.lowerBound]
        let tail = text[dots.upperBound...].drop { $0 == "." }
        let prefix = head.reversed().drop(while: \.isNumber).reversed()
        guard let first = Int(head.dropFirst(prefix.count)), let last = Int(tail), first <= last,
            last - first < 1000
        else { throw OMRCheckerTemplate.Failure(description: "\(text) is no range of labels such as q1..10") }
        return (first...last).map { String(prefix) + String($0) }
    }
}

extension TemplateFile.Block {
    /// Values and direction of the types OMRChecker knows by name.
    private static let types: [String: (values: [String], isVertical: Bool)] = [
        "QTYPE_MED": (["E", "H"], true),
        "QTYPE_INT": ((0...9).map(String.init), true),
        "QTYPE_INT_11": ((0...10).map(String.init), true),
        "QTYPE_INT_FROM_1": ((1...9).map(String.init) + ["0"], true),
        "QTYPE_ROLL": ((0...9).map(String.init), true),
        "QTYPE_MCQ2": (["A", "B"], false),
        "QTYPE_MCQ3": (["A", "B", "C"], false),
        "QTYPE_MCQ4": (["A", "B", "C", "D"], false),
        "QTYPE_MCQ5": (["A", "B", "C", "D", "E"], false),
    ]

    /// The block's bubbles by label, in order.
    func bubbles(name: String, size: [Double]) throws -> [(label: String, bubbles: [Bubble])] {
        let type = fieldType.flatMap { Self.types[$0] }
        guard let values = bubbleValues ?? type?.values, !values.isEmpty, values.count <= 100 else {
            throw OMRCheckerTemplate.Failure(
                description: "block \(name) has neither bubbleValues nor a known fieldType (\(fieldType ?? "none"))")
        }
        guard origin.count == 2, size.count == 2, bubblesGap.isFinite, labelsGap.isFinite else {
            throw OMRCheckerTemplate.Failure(
                description: "block \(name) needs origin and bubbleDimensions of two numbers")
        }
        let isVertical = direction.map { $0.lowercased() == "vertical" } ?? type?.isVertical ?? true
        let labels = try fieldLabels.flatMap { try TemplateFile.labels(in: $0) }
        return labels.enumerated().map { row, label in
            let bubbles = values.enumerated().map { column, value in
                let along = Double(column) * bubblesGap
                let across = Double(row) * labelsGap
                return Bubble(
                    value: value, x: origin[0] + size[0] / 2 + (isVertical ? across : along),
                    y: origin[1] + size[1] / 2 + (isVertical ? along : across), width: size[0], height: size[1])
            }
            return (label, bubbles)
        }
    }
}
