import Domain
import FoundationEssentials

/// A sheet described by an OMRChecker `template.json`. Its unit is the template's pixel.
package struct OMRCheckerTemplate: Sendable {
    /// Why a template cannot be used.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// What is done to the image before bubbles are read.
    enum Step: Sendable {
        case cropPage
        case cropOnMarkers(MarkerCrop)
    }

    /// Four equal marks whose middles become the corners of the page.
    struct MarkerCrop: Sendable {
        /// The image file of the mark.
        var marker: [UInt8]
        /// Width of the sheet over that of the mark; nil when the mark has the size of its image.
        var sheetToMarkerWidth: Double?
        /// Sizes tried, in percent.
        var scales: ClosedRange<Int>
        /// Least correlation that counts as found.
        var leastMatch: Double
    }

    var width: Double
    var height: Double
    var steps: [Step]
    /// One choice a label.
    var fields: [LayoutField]
    /// The block each field belongs to.
    var blocks: [Int]
    /// Half the smallest distance of neighbouring bubbles; print further off would be taken for its neighbour.
    var safeShift: Double
    /// Names of the result, each with the labels whose values are joined.
    var outputs: [(name: String, labels: [String])]

    /// Reads a template and the marker image it names.
    /// - Throws: `Failure` when a file is missing or wrong, or asks for a step that is not supported.
    ///
    /// Blurs and levels are accepted and passed over: darkness is measured against each sheet's own paper and print.
    package init(contentsOf path: String) throws {
        let url = URL(filePath: path)
        let file: TemplateFile
        do {
            file = try JSONDecoder().decode(TemplateFile.self, from: Data(contentsOf: url))
        } catch {
            throw Failure(description: "\(path) is no OMRChecker template: \(error)")
        }
        try self.init(file, directory: url.deletingLastPathComponent())
    }

    init(_ file: TemplateFile, directory: URL) throws {
        guard file.pageDimensions.count == 2, file.pageDimensions.allSatisfy({ (20...20_000).contains($0) }) else {
            throw Failure(description: "pageDimensions must be two numbers from 20 to 20000")
        }
        width = file.pageDimensions[0]
        height = file.pageDimensions[1]
        steps = try (file.preProcessors ?? []).compactMap { try Self.step($0, directory: directory) }
        fields = []
        blocks = []
        safeShift = .infinity
        for (number, (name, block)) in file.fieldBlocks.sorted(by: { $0.key < $1.key }).enumerated() {
            let bubbles = try block.bubbles(name: name, size: block.bubbleDimensions ?? file.bubbleDimensions)
            for (label, spots) in bubbles {
                fields.append(LayoutField(name: label, kind: .choice, bubbles: spots, single: true))
                blocks.append(number)
            }
            for gap in [block.bubblesGap, block.labelsGap] where gap > 0 {
                // A block of one column has no neighbours to be taken for.
                safeShift = min(safeShift, gap / 2)
            }
        }
        guard !fields.isEmpty, fields.count <= 5000 else { throw Failure(description: "fieldBlocks has no labels") }
        for field in fields {
            for bubble in field.bubbles {
                guard (0...width).contains(bubble.x), (0...height).contains(bubble.y), bubble.width >= 2,
                    bubble.height >= 2
                else { throw Failure(description: "a bubble of \(field.name) is not on the page") }
            }
        }
        if !safeShift.isFinite { safeShift = fields[0].bubbles[0].width / 2 }
        outputs = try Self.outputs(file, labels: fields.map(\.name))
    }

    private static func step(_ step: TemplateFile.PreProcessor, directory: URL) throws -> Step? {
        switch step.name {
        case "CropPage":
            return .cropPage
        case "CropOnMarkers":
            let options = step.options
            let name = options?.relativePath ?? options?.referenceImage ?? "omr_marker.jpg"
            guard let marker = try? Data(contentsOf: directory.appending(path: name)) else {
                throw Failure(description: "the marker image \(name) is not next to the template")
            }
            let scales = options?.markerRescaleRange ?? [35, 100]
            guard scales.count == 2, scales[0] >= 5, scales[1] <= 400, scales[0] <= scales[1] else {
                throw Failure(description: "markerRescaleRange must be two percentages")
            }
            return .cropOnMarkers(
                MarkerCrop(
                    marker: Array(marker), sheetToMarkerWidth: options?.sheetToMarkerWidthRatio,
                    scales: scales[0]...scales[1], leastMatch: options?.minMatchingThreshold ?? 0.3))
        case "GaussianBlur", "MedianBlur", "Levels", "Contrast":
            return nil
        default:
            throw Failure(
                description: "the pre-processor \(step.name) is not supported; CropPage, CropOnMarkers, GaussianBlur, "
                    + "MedianBlur, Levels and Contrast are")
        }
    }

    private static func outputs(
        _ file: TemplateFile, labels: [String]
    ) throws -> [(name: String, labels: [String])] {
        var joined: [(name: String, labels: [String])] = []
        var used: Set<String> = []
        let known = Set(labels)
        for (name, parts) in (file.customLabels ?? [:]).sorted(by: { $0.key < $1.key }) {
            let parts = try parts.flatMap { try TemplateFile.labels(in: $0) }
            for part in parts where !known.contains(part) {
                throw Failure(description: "customLabels \(name) names \(part), which no block has")
            }
            used.formUnion(parts)
            joined.append((name, parts))
        }
        return joined + labels.filter { !used.contains($0) }.map { ($0, [$0]) }
    }
}
