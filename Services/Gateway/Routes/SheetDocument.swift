import Domain

/// A sheet as clients see it: what lists show, and the reading, the marks and the pages.
struct SheetDocument: Encodable {
    let sheet: Sheet
    /// The identifier asked for; another than the sheet's own when it was joined to that one.
    let id: SheetID

    enum CodingKeys: String, CodingKey {
        case id
        case examID = "exam_id"
        case status
        case studentID = "student_id"
        case score
        case maxScore = "max_score"
        case needsReview = "needs_review"
        case flags, recognition, marks, error, pages
        case joinedTo = "joined_to"
        case correlationID = "correlation_id"
        case uploadedBy = "uploaded_by"
        case uploadedAt = "uploaded_at"
        case readingVersion = "reading_version"
        case keyVersion = "key_version"
    }

    private struct Recognition: Encodable {
        var fields: [String: FieldReading]
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(sheet.examID, forKey: .examID)
        try container.encode(sheet.status, forKey: .status)
        try container.encode(sheet.studentID, forKey: .studentID)
        try container.encode(sheet.score, forKey: .score)
        try container.encode(sheet.maxScore, forKey: .maxScore)
        try container.encode(sheet.needsReview, forKey: .needsReview)
        try container.encode(sheet.flags, forKey: .flags)
        try container.encode(Recognition(fields: sheet.fields), forKey: .recognition)
        try container.encode(sheet.marks.map(MarkDocument.init), forKey: .marks)
        try container.encodeIfPresent(sheet.error, forKey: .error)
        try container.encode(sheet.pages.map(SheetPageDocument.init), forKey: .pages)
        if id != sheet.id { try container.encode(sheet.id, forKey: .joinedTo) }
        try container.encode(sheet.correlationID, forKey: .correlationID)
        try container.encode(sheet.uploadedBy, forKey: .uploadedBy)
        try container.encode(sheet.uploadedAt, forKey: .uploadedAt)
        try container.encode(sheet.readingVersion, forKey: .readingVersion)
        try container.encode(sheet.keyVersion, forKey: .keyVersion)
    }
}

/// A mark with every field there, so that clients need not tell absent from undecided.
struct MarkDocument: Encodable {
    let mark: Mark

    enum CodingKeys: String, CodingKey {
        case question, score, max, by, flags
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(mark.question, forKey: .question)
        try container.encode(mark.score, forKey: .score)
        try container.encode(mark.max, forKey: .max)
        try container.encode(mark.by, forKey: .by)
        try container.encode(mark.flags, forKey: .flags)
    }
}

/// A page image of a sheet. Its fields are in the sheet's `recognition`.
private struct SheetPageDocument: Encodable {
    let page: SheetPage

    enum CodingKeys: String, CodingKey {
        case number, file
        case filePage = "file_page"
        case flags, milliseconds
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(page.number, forKey: .number)
        try container.encode(page.file, forKey: .file)
        try container.encode(page.filePage, forKey: .filePage)
        try container.encode(page.reading?.flags ?? [], forKey: .flags)
        try container.encode(page.reading?.milliseconds, forKey: .milliseconds)
    }
}
