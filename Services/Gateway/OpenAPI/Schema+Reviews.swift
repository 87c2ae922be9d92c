import Domain
import ExamStore

extension Schema {
    static let reviewID = string(1...160)

    private static let value = string(0...200).with("The answer as a person reads it: AC, 3.14, a number of a student.")
    private static let comment = string(0...2000)

    static let reviewOrder = object(
        "ReviewOrder",
        [
            "exam_id?": examID.with("Of this exam only.").orNull,
            "questions?": array(of: integer(1...999), count: 1...300).with("Of these questions only.").orNull,
        ])

    static let reviewAssignment = object("ReviewAssignment", ["user": userID])

    static let reviewDecision = object(
        "ReviewDecision",
        [
            "fence": integer(0...(1 << 53)).with("Of the lease the review was taken under."),
            "score?": number(0...1000).with("Of a question: the score itself, in steps of 0.01.").orNull,
            "value?": value.orNull.with(
                "Of a question with a key: what is on the sheet, which the key then marks. Of a student_id: the number."
            ),
            "comment?": comment.orNull,
            "discard?": boolean.orNull.with(
                "Of a student_id: this sheet is a second scan of the one that student has, and is put aside."),
        ])

    private static let change = object(
        "ReviewChange",
        [
            "by": string.with("machine, or a user."), "at": time, "score": number.orNull, "value": string.orNull,
            "comment": string.orNull, "discarded": boolean,
        ])

    static let review = object(
        "Review",
        [
            "id": reviewID, "exam_id": examID, "sheet_id": sheetID, "kind": choice(of: Review.Kind.self),
            "question": integer(1...999).orNull, "status": choice(of: ReviewStatus.self),
            "reasons": array(of: string).with("Flags of the mark or of the sheet."), "requested_at": time,
            "assignee": userID.orNull.with("The only user who gets it."),
            "lease": object(
                "ReviewLease",
                [
                    "user": userID, "expires_at": time,
                    "fence?": integer.with("To be given with the decision; only the holder is told."),
                ]
            ).orNull,
            "history": array(of: change).with("Every mark it had, the oldest first."),
            "reading?": field.orNull.with("What was read; not in lists."),
            "mark?": mark.orNull.with("How it stands; not in lists."),
        ])
}
