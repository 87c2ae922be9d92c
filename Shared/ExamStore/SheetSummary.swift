package import Domain

/// A sheet as lists show it.
package struct SheetSummary: Codable, Equatable, Sendable {
    package var id: SheetID
    package var status: SheetStatus
    package var studentID: String?
    package var score: Double?
    package var maxScore: Double
    package var needsReview: Bool
    package var flags: [SheetFlag]
    package var error: ReadingFailure?
    package var file: String?
    package var readingVersion: Int
    package var keyVersion: Int

    init(_ sheet: Sheet) {
        id = sheet.id
        status = sheet.status
        studentID = sheet.studentID
        score = sheet.score
        maxScore = sheet.maxScore
        needsReview = sheet.needsReview
        flags = sheet.flags
        error = sheet.error
        file = sheet.pages.first?.file
        readingVersion = sheet.readingVersion
        keyVersion = sheet.keyVersion
    }

    enum CodingKeys: String, CodingKey {
        case id, status
        case studentID = "student_id"
        case score
        case maxScore = "max_score"
        case needsReview = "needs_review"
        case flags, error, file
        case readingVersion = "reading_version"
        case keyVersion = "key_version"
    }

    /// Absent values are written as null, so that every row of a list has the same fields.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(status, forKey: .status)
        try container.encode(studentID, forKey: .studentID)
        try container.encode(score, forKey: .score)
        try container.encode(maxScore, forKey: .maxScore)
        try container.encode(needsReview, forKey: .needsReview)
        try container.encode(flags, forKey: .flags)
        try container.encode(error, forKey: .error)
        try container.encode(file, forKey: .file)
        try container.encode(readingVersion, forKey: .readingVersion)
        try container.encode(keyVersion, forKey: .keyVersion)
    }
}
