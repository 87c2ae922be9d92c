import Domain

extension Schema {
    private static func tally<Flag: CaseIterable & RawRepresentable<String>>(of type: Flag.Type) -> Schema {
        map(of: integer(from: 0)).with("How many by flag: \(type.allCases.map(\.rawValue).joined(separator: ", ")).")
    }

    private static let fraction = number(0...1)

    static let quality = object(
        "Quality",
        [
            "exam_id": examID,
            "sheets": object([
                "total": integer(from: 0), "uploaded": integer(from: 0), "recognized": integer(from: 0),
                "graded": integer(from: 0), "review": integer(from: 0), "failed": integer(from: 0),
                "marked": integer(from: 0).with("Sheets with a score."), "flags": tally(of: SheetFlag.self),
                "errors": map(of: integer(from: 1)).with("Failed sheets by the code of their error."),
            ]),
            "pages": object([
                "read": integer(from: 0), "mean_milliseconds?": number(from: 0).with("Of reading a page."),
                "flags": tally(of: PageFlag.self),
            ]),
            "fields": object([
                "read": integer(from: 0).with("The number of the student is a field as well."),
                "unflagged": integer(from: 0).with("Without any flag, blank included."), "unflagged_share?": fraction,
                "doubtful": integer(from: 0).with("With another flag than blank."), "doubtful_share?": fraction,
                "flags": tally(of: FieldFlag.self),
            ]),
            "questions": array(
                of: object(
                    "QuestionQuality",
                    [
                        "question": integer(1...999), "marks": integer(from: 0).with("Marks with a score."),
                        "undecided": integer(from: 0).with("Marks nobody has decided."),
                        "flagged": integer(from: 0).with("Marks, decided or not, that carry a flag for people."),
                        "flagged_share?": fraction, "by_machine": integer(from: 0), "by_people": integer(from: 0),
                        "machine_share?": fraction.with("Of the marks with a score."),
                        "people_share?": fraction.with("Of the marks with a score."),
                    ])),
            "markers": array(
                of: object(
                    "MarkerQuality",
                    [
                        "user": userID, "marks": integer(from: 1).with("Marks of this person that stand."),
                        "questions": array(of: integer(1...999)),
                        "mean_share?": fraction.with("Mean of points earned as a share of those possible."),
                        "share_deviation?": fraction.with("Standard deviation of these shares."),
                    ])),
        ])
}
