import Domain
import TaskQueue

extension Schema {
    static let examID = string(1...64, pattern: "^[0-9A-Za-z_-]+$")
    static let userID = string(1...64)

    /// A problem document.
    static let problem = object(
        "Problem",
        [
            "type": string.with("urn:zhiyue:problem: and the code of the kind of problem."),
            "title": string, "status": integer(400...599), "detail": string.with("What is wrong and what to do."),
            "errors?": array(
                of: object(
                    "FieldProblem",
                    [
                        "pointer": string.with(
                            "Where: a JSON pointer (RFC 6901) into the body, or ? and a parameter of the query."),
                        "detail": string,
                    ])),
            "rejected?": array(of: rejectedFile), "request_id": string,
        ])

    // MARK: Exams

    private static let points = Schema(["type": "number", "exclusiveMinimum": .integer(0), "maximum": .integer(1000)])

    private static let rubric = array(
        of: object("RubricCriterion", ["text": string, "points": points]))

    static let question = object(
        "Question",
        [
            "number": integer(1...999).with("Unique in the exam."), "type": choice(of: Question.Kind.self),
            "points": points.with("In steps of 0.01."),
            "options?": integer(2...10).with("Of a choice, lettered from A; 4 when absent.").orNull,
            "answer?": string.with("The key: B, ACD, T or 3.14.").orNull,
            "answers?": array(of: string, count: 0...50)
                .with("The accepted answers of a short text.").orNull,
            "partial_credit?": choice(of: Question.PartialCredit.self).orNull,
            "tolerance?": number(from: 0).with("Largest accepted distance from a numeric answer; 0 when absent.")
                .orNull,
            "digits?": integer(1...12).with("Columns of digit bubbles; absent: a box to write in.").orNull,
            "max_edits?": integer(0...5).with("Letters that may differ in a short text.").orNull,
            "rubric?": rubric.with("How an open answer is scored; adds up to the points.").orNull,
            "height?": number(15...230).with("Of the box of an open answer, in millimetres.").orNull,
        ])

    private static let title = string(1...200).with("Not only spaces.")
    private static let subject = string(0...100)
    private static let studentIDDigits = integer(1...20).with("Columns of the student-id grid; 8 when absent.")
    private static let questions = array(of: question, count: 1...300)

    static let examDraft = object(
        "ExamDraft",
        [
            "title": title, "subject?": subject.orNull, "student_id_digits?": studentIDDigits.orNull,
            "questions": questions,
        ])

    static let examPatch = object(
        "ExamPatch",
        [
            "title?": title.orNull, "subject?": subject.orNull, "student_id_digits?": studentIDDigits.orNull,
            "questions?": questions.orNull,
        ]
    )

    static let exam = object(
        "Exam",
        [
            "id": examID, "title": title, "subject": subject, "student_id_digits": studentIDDigits,
            "questions": questions, "owner": userID, "created_at": time, "updated_at": time,
            "version": integer(from: 1).with("Rises by one with every change; the ETag."),
            "key_version": integer(from: 1).with("The version in which key, points or rules last changed."),
            "max_score": number,
            "published_at?": time.with("When students may see results; absent: they may not.").orNull,
        ])

    static let examSummary = object(
        "ExamSummary",
        [
            "id": examID, "title": title, "subject": subject, "owner": userID, "question_count": integer,
            "max_score": number, "created_at": time, "updated_at": time, "version": integer, "key_version": integer,
            "published_at?": time.orNull,
        ])

    // MARK: Print

    private static let box = object("Box", ["x": number, "y": number, "width": number, "height": number])

    private static let layoutField = object(
        "LayoutField",
        [
            "name": string.with("student_id, or q and the question's number."),
            "kind": choice(["choice", "digits", "text", "open"]),
            "bubbles": array(
                of: object(
                    "Bubble",
                    [
                        "value": string, "position": integer.with("The column of a digit; 0 for choices."),
                        "x": number, "y": number, "width": number, "height": number,
                    ])),
            "box?": box, "alphabet?": string, "single": boolean,
        ])

    static let layout = object(
        "Layout",
        [
            "pages": array(
                of: object(
                    "LayoutPage",
                    [
                        "number": integer(from: 1), "width_mm": number, "height_mm": number,
                        "corner_marks": array(
                            of: object(["x": number, "y": number, "size": number, "hollow": boolean])),
                        "code?": object(["x": number, "y": number, "size": number, "payload": string]),
                        "fields": array(of: layoutField), "texts": array(of: map(of: any)),
                        "shapes": array(of: map(of: any)),
                    ]))
        ]
    )

    static let statistics = object(
        "Statistics",
        [
            "count": integer, "needs_review": integer, "mean?": number, "standard_deviation?": number,
            "minimum?": number, "maximum?": number, "max_score": number,
            "distribution": array(
                of: object([
                    "from": integer.with("Per cent of the maximum, inclusive."),
                    "to": integer.with("Exclusive but for 100."), "count": integer,
                ])),
            "questions": array(
                of: object(["question": integer, "count": integer, "correct": integer, "rate?": number])),
        ])
}
