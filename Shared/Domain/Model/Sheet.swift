/// Where a sheet stands.
package enum SheetStatus: String, Codable, Sendable, CaseIterable {
    case uploaded, recognized, graded, review, failed
}

/// Why a sheet as a whole deserves a look.
package enum SheetFlag: String, Codable, Sendable, CaseIterable {
    /// The student's number is blank, doubtful or incomplete.
    case studentUnclear = "student_unclear"
    /// Another sheet with the same page of the same student exists.
    case duplicatePage = "duplicate_page"
    /// Not all pages of the student have been scanned.
    case missingPages = "missing_pages"
    /// The page was read, but its print was doubtful (see the flags of the page).
    case pageDoubtful = "page_doubtful"
    /// Nothing is filled in.
    case blankPage = "blank_page"
}

/// One uploaded page image of a sheet.
package struct SheetPage: Codable, Equatable, Sendable {
    /// The page of the layout; nil until read.
    package var number: Int?
    package var blob: BlobID
    /// The name the uploader gave the file.
    package var file: String
    /// The page inside the file, 1 for the first.
    package var filePage: Int
    package var reading: PageReading?
    /// A person has looked at a page whose print was doubtful, or that is empty: its reading stands. nil: nobody has.
    package var isConfirmed: Bool?

    package init(number: Int? = nil, blob: BlobID, file: String, filePage: Int, reading: PageReading? = nil) {
        self.number = number
        self.blob = blob
        self.file = file
        self.filePage = filePage
        self.reading = reading
    }

    enum CodingKeys: String, CodingKey {
        case number, blob, file
        case filePage = "file_page"
        case reading
        case isConfirmed = "is_confirmed"
    }
}

/// A student's answers to an exam: the page images, what was read on them, and the marks.
package struct Sheet: Codable, Equatable, Sendable {
    package var id: SheetID
    package var examID: ExamID
    package var status: SheetStatus
    package var pages: [SheetPage]
    /// The sheet this one was joined to because both are pages of one student; its own pages are empty then.
    package var joinedTo: SheetID?
    package var studentID: String?
    package var score: Double?
    package var maxScore: Double
    package var marks: [Mark]
    package var flags: [SheetFlag]
    package var needsReview: Bool
    package var error: ReadingFailure?
    package var correlationID: CorrelationID
    package var uploadedBy: UserID
    package var uploadedAt: Timestamp
    /// Rises with every page that is read.
    package var readingVersion: Int
    /// The key the marks were made with; 0 before the first marking.
    package var keyVersion: Int
    /// The reading the marks were made from; 0 before the first marking.
    package var markedReadingVersion = 0
    /// Files of several pages that its pages came in and that still wait for it, one for each page; nil for none.
    package var batches: [String]?
    /// The number a person has given the sheet, whatever was read; nil: nobody has.
    package var decidedStudent: String?
    /// Rises with every review that is settled; nil before the first.
    package var reviewVersion: Int?
    /// Names of what people were asked about the sheet, see `ReviewTarget`; nil before the first.
    package var reviewTargets: [String]?

    package init(
        id: SheetID, examID: ExamID, status: SheetStatus, pages: [SheetPage], joinedTo: SheetID? = nil,
        studentID: String? = nil, score: Double? = nil, maxScore: Double, marks: [Mark] = [], flags: [SheetFlag] = [],
        needsReview: Bool = false, error: ReadingFailure? = nil, correlationID: CorrelationID, uploadedBy: UserID,
        uploadedAt: Timestamp, readingVersion: Int = 0, keyVersion: Int = 0
    ) {
        self.id = id
        self.examID = examID
        self.status = status
        self.pages = pages
        self.joinedTo = joinedTo
        self.studentID = studentID
        self.score = score
        self.maxScore = maxScore
        self.marks = marks
        self.flags = flags
        self.needsReview = needsReview
        self.error = error
        self.correlationID = correlationID
        self.uploadedBy = uploadedBy
        self.uploadedAt = uploadedAt
        self.readingVersion = readingVersion
        self.keyVersion = keyVersion
    }

    /// The fields of all pages that have been read.
    package var fields: [String: FieldReading] {
        pages.compactMap(\.reading).reduce(into: [:]) { fields, reading in
            fields.merge(reading.fields) { first, _ in first }
        }
    }

    /// The fields to be marked: as they were read, but where a person has read them otherwise.
    package var answers: [String: FieldReading] {
        var answers = fields
        for mark in marks {
            guard let value = mark.value else { continue }
            answers["q\(mark.question)"] = FieldReading(value: value, confidence: 1)
        }
        return answers
    }
}
