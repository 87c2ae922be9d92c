import Foundation
import Testing

/// The closing line of `zhiyue demo --json`.
struct DemonstrationFigures: Decodable {
    let sheets: Int
    let graded: Int
    let fields: Int
    let wrong: Int
    let flagged: Int
    let seconds: Double
    let correlationID: String
    let examID: String

    enum CodingKeys: String, CodingKey {
        case sheets, graded, fields, wrong, flagged, seconds
        case correlationID = "correlation_id"
        case examID = "exam_id"
    }

    init(closingLineOf output: String) throws {
        let line = try #require(output.split(separator: "\n").last)
        self = try JSONDecoder().decode(Self.self, from: Data(line.utf8))
    }
}
