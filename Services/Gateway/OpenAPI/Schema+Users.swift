import Domain

extension Schema {
    // MARK: Signing in

    static let grant = object(
        "Grant",
        [
            "access_token": string, "token_type": choice(["Bearer"]), "expires_in": integer.with("Seconds."),
            "refresh_token": string, "refresh_expires_in": integer.with("Seconds."),
        ])
    static let refreshRequest = object("RefreshRequest", ["refresh_token": string])

    // MARK: Users

    private static let password = string.with("8 bytes or more, and not the name.")
    private static let studentID = string(1...20, pattern: "^[0-9]+$").with("Of the role student.")

    static let user = object(
        "User",
        [
            "id": userID, "role": choice(of: Role.self), "disabled": boolean, "student_id": studentID.orNull,
            "created_at": time, "updated_at": time.orNull,
        ])

    static let userDraft = object(
        "UserDraft",
        ["id": userID, "role": choice(of: Role.self), "password": password, "student_id?": studentID.orNull])

    static let userPatch = object(
        "UserPatch",
        [
            "role?": choice(of: Role.self).orNull, "password?": password.orNull, "student_id?": studentID.orNull,
            "disabled?": boolean.orNull,
        ])

    // MARK: Who has to do with an exam

    static let share = object("Share", ["user": userID, "access": choice(of: ExamGrants.Access.self)])
    static let assignment = object("Assignment", ["user": userID, "questions": array(of: integer)])

    static let result = object(
        "Result",
        [
            "exam_id": examID, "title": string, "subject": string, "published_at": time.orNull,
            "student_id": string.orNull, "status": choice(["graded", "pending"]), "score": number.orNull,
            "max_score": number,
            "questions?": array(of: object(["question": integer, "score": number.orNull, "max": number])),
        ])
}
