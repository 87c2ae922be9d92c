import Domain
import Foundation
import Testing

@testable import Recognition

/// Real scans of sheets others printed; not part of the project, so tests pass over them where they are missing.
enum ForeignScans {
    struct Truth: Decodable {
        var truth: [String: String]
        var ambiguous: [String: [String]]?

        enum CodingKeys: String, CodingKey { case truth }
    }

    static let directory = ProcessInfo.processInfo.environment["ZHIYUE_SCANS"] ?? "../shared/scans"

    static let truths: [String: [String: String]] = {
        guard let data = try? Data(contentsOf: URL(filePath: directory + "/truth.json")),
            let truths = try? JSONDecoder().decode([String: Truth].self, from: data)
        else { return [:] }
        return truths.mapValues(\.truth)
    }()
}

@Suite struct TemplateTests {
    @Test("Real sheets are read through their templates", arguments: ForeignScans.truths.keys.sorted())
    func realScans(name: String) throws {
        let path = ForeignScans.directory + "/" + name
        let template = try OMRCheckerTemplate(
            contentsOf: (path as NSString).deletingLastPathComponent + "/template.json")
        let bytes = Array(try Data(contentsOf: URL(filePath: path)))
        let reading = try PageReader(configuration: ReaderConfiguration()).read(bytes, template: template)
        let truth = try #require(ForeignScans.truths[name])
        var wrong: [String] = []
        var flagged: [String] = []
        for (field, value) in truth {
            let read = try #require(reading.fields[field])
            let isFlagged = !read.flags.filter { $0 != .blank }.isEmpty || (read.flags == [.blank] && value != "")
            if isFlagged { flagged.append("\(field) \(value)/\(read.value) \(read.flags)") }
            if read.value != value, read.flags.isEmpty { wrong.append("\(field) \(value) read as \(read.value)") }
        }
        #expect(wrong == [])
        #expect(Double(flagged.count) <= 0.03 * Double(truth.count), "\(flagged)")
    }

    private func template(_ json: String) throws -> OMRCheckerTemplate {
        let directory = FileManager.default.temporaryDirectory.appending(path: "template-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appending(path: "template.json")
        try Data(json.utf8).write(to: file)
        return try OMRCheckerTemplate(contentsOf: file.path)
    }

    @Test("Labels, values, directions and joined labels follow the template")
    func format() throws {
        let template = try template(
            """
            {"pageDimensions": [300, 400], "bubbleDimensions": [20, 10],
             "customLabels": {"Roll": ["r1..2"]},
             "fieldBlocks": {
               "a": {"fieldType": "QTYPE_MCQ4", "origin": [10, 20], "fieldLabels": ["q1..2", "extra"],
                     "bubblesGap": 30, "labelsGap": 15},
               "b": {"fieldType": "QTYPE_INT_FROM_1", "origin": [200, 100], "fieldLabels": ["r1..2"],
                     "bubblesGap": 12, "labelsGap": 25},
               "c": {"bubbleValues": ["yes", "no"], "direction": "horizontal", "origin": [50, 300],
                     "fieldLabels": ["agree"], "bubblesGap": 40, "labelsGap": 0, "bubbleDimensions": [8, 8]}},
             "preProcessors": [{"name": "GaussianBlur", "options": {"kSize": [3, 3], "sigmaX": 0}}]}
            """)
        let q2 = try #require(template.fields.first { $0.name == "q2" })
        #expect(q2.bubbles.map(\.value) == ["A", "B", "C", "D"])
        #expect(q2.bubbles[1] == Bubble(value: "B", x: 50, y: 40, width: 20, height: 10))
        let r2 = try #require(template.fields.first { $0.name == "r2" })
        #expect(r2.bubbles.map(\.value).joined() == "1234567890")
        #expect(r2.bubbles[2] == Bubble(value: "3", x: 235, y: 129, width: 20, height: 10))
        let agree = try #require(template.fields.first { $0.name == "agree" })
        #expect(agree.bubbles[1] == Bubble(value: "no", x: 94, y: 304, width: 8, height: 8))
        #expect(template.outputs.map(\.name) == ["Roll", "q1", "q2", "extra", "agree"])
        #expect(template.outputs[0].labels == ["r1", "r2"])
    }

    @Test(
        "A template that cannot be used says why",
        arguments: [
            (#"{"#, "no OMRChecker template"),
            (#"{"pageDimensions":[1],"bubbleDimensions":[5,5],"fieldBlocks":{}}"#, "pageDimensions"),
            (
                #"{"pageDimensions":[99,99],"bubbleDimensions":[5,5],"fieldBlocks":{},"preProcessors":[{"name":"FeatureBasedAlignment"}]}"#,
                "FeatureBasedAlignment"
            ),
            (
                #"{"pageDimensions":[99,99],"bubbleDimensions":[5,5],"fieldBlocks":{},"preProcessors":[{"name":"CropOnMarkers"}]}"#,
                "omr_marker.jpg"
            ),
            (
                #"{"pageDimensions":[99,99],"bubbleDimensions":[5,5],"fieldBlocks":{"a":{"fieldType":"X","origin":[1,1],"fieldLabels":["q"],"bubblesGap":1,"labelsGap":1}}}"#,
                "fieldType"
            ),
            (
                #"{"pageDimensions":[99,99],"bubbleDimensions":[5,5],"fieldBlocks":{"a":{"fieldType":"QTYPE_INT","origin":[90,90],"fieldLabels":["q"],"bubblesGap":9,"labelsGap":1}}}"#,
                "not on the page"
            ),
        ])
    func refusals(json: String, reason: String) {
        let failure = #expect(throws: OMRCheckerTemplate.Failure.self) { try template(json) }
        #expect(failure?.description.contains(reason) == true, "\(failure?.description ?? "")")
    }
}
