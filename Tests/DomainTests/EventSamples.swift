import Foundation
import Testing

/// The data of one event as it is stored: a golden sample, kept in `Samples/<type>.<version>.json`. Streams and webhooks
/// hold data of every version there ever was, so the file of a version is never changed, only that of the next is added.
struct EventSample: Sendable, CustomTestStringConvertible {
    let type: String
    let subject: String
    let version: Int
    /// Keys sorted, as this project writes JSON.
    let json: String
    /// Fields that may be absent.
    let optional: Set<String>

    var testDescription: String { "\(type) \(version)" }
}

enum EventSamples {
    static let all: [EventSample] = files.map { file in
        let parts = file.split(separator: ".")
        let type = parts.dropLast(2).joined(separator: ".")
        let json = (try? String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)) ?? ""
        return EventSample(
            type: type, subject: subjects[type] ?? "", version: Int(parts[parts.count - 2]) ?? 0,
            json: json.trimmingCharacters(in: .newlines), optional: optionalFields[type] ?? [])
    }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Samples")

    /// `exam.created.1.json`
    private static let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".json") && $0.split(separator: ".").count >= 4 }.sorted()

    private static let subjects = [
        "exam.created": "e1",
        "exam.updated": "e1",
        "exam.deleted": "e1",
        "sheet.uploaded": "e1.s1",
        "ocr.started": "e1.s1",
        "ocr.completed": "e1.s1",
        "ocr.failed": "e1.s1",
        "grading.started": "e1.s1",
        "grading.completed": "e1.s1",
        "grading.failed": "e1.s1",
        "grading.reviewed": "e1.s1",
        "review.requested": "e1.s1",
        "batch.started": "remark:e1:k2",
        "batch.progress": "remark:e1:k2",
        "batch.completed": "remark:e1:k2",
        "batch.failed": "remark:e1:k2",
        "report.ready": "r1",
        "report.failed": "r1",
        "quality.updated": "e1",
        "notification.created": "li",
        "system.health_check": "system",
    ]

    private static let optionalFields: [String: Set<String>] = [
        "ocr.completed": ["student_id"],
        "grading.completed": ["student_id"],
        "grading.reviewed": ["old_score", "new_score", "question", "review_id", "status"],
        "quality.updated": ["mean", "standard_deviation"],
    ]
}
