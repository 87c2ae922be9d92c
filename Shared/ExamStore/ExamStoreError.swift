internal import Domain

/// Why a record could not be read or changed.
package struct ExamStoreError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// There is no such record.
        case notFound
        /// The record has another version than expected.
        case versionMismatch
        /// The sheet layout would change although sheets have been uploaded.
        case layoutFixed
        /// A list is full.
        case tooMany
        /// Others changed the same records so often that the change was given up; it may be tried again.
        case contention
        /// The effect was made before, or by an owner that has lost its partition.
        case superseded
        /// A cursor is not one of the list it was given for.
        case invalidCursor
        /// A review is under another lease than the caller's.
        case leaseLost
        /// A review has been settled.
        case settled
        /// A student's page is on another sheet already.
        case studentTaken
        /// A stored record cannot be understood.
        case corrupt
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }

    static let invalidCursor = ExamStoreError(.invalidCursor, "the cursor is not one of this list")

    static func noExam(_ id: ExamID) -> ExamStoreError {
        ExamStoreError(.notFound, "there is no exam \(id)")
    }

    static func noReview(_ id: ReviewID) -> ExamStoreError {
        ExamStoreError(.notFound, "there is no review \(id)")
    }

    static func noSheet(_ id: SheetID) -> ExamStoreError {
        ExamStoreError(.notFound, "there is no sheet \(id)")
    }
}

/// A part of a list, and where the next part begins.
package struct Page<Item: Sendable>: Sendable {
    package var items: [Item]
    /// nil at the end of the list.
    package var nextCursor: String?

    package init(items: [Item], nextCursor: String?) {
        self.items = items
        self.nextCursor = nextCursor
    }
}
