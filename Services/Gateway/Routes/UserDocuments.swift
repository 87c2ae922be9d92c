import Access
import Domain
import HTTPTypes

/// A user as administrators see it: all but the password's hash.
struct UserDocument: Encodable {
    let user: User

    init(_ user: User) {
        self.user = user
    }

    enum CodingKeys: String, CodingKey {
        case id, role, disabled
        case studentID = "student_id"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(user.id, forKey: .id)
        try container.encode(user.role, forKey: .role)
        try container.encode(user.isDisabled, forKey: .disabled)
        try container.encode(user.studentID, forKey: .studentID)
        try container.encode(user.createdAt, forKey: .createdAt)
        try container.encode(user.updatedAt, forKey: .updatedAt)
    }
}

/// A new user.
struct UserDraft: Decodable {
    var id: UserID
    var role: Role
    var password: String
    var studentID: String?

    enum CodingKeys: String, CodingKey {
        case id, role, password
        case studentID = "student_id"
    }

    /// - Throws: `Problem` with 422.
    func check() throws {
        guard id.isValid else {
            throw Problem.invalidUser("/id", "must be 1 to 64 ASCII letters, digits, _, -, . or @")
        }
        try Self.check(studentID, role: role)
        try Self.check(password, of: id, at: "/password")
    }

    static func check(_ password: String, of user: UserID, at pointer: String) throws {
        if let fault = PasswordRule.fault(in: password, of: user) { throw Problem.invalidUser(pointer, fault) }
    }

    static func check(_ studentID: String?, role: Role) throws {
        guard let studentID else { return }
        guard role == .student else { throw Problem.invalidUser("/student_id", "is for the role student alone") }
        guard User.isStudentNumber(studentID) else {
            throw Problem.invalidUser("/student_id", "must be 1 to 20 digits")
        }
    }
}

/// What a `PATCH` changes; what is absent stays.
struct UserPatch: Decodable {
    var role: Role?
    var password: String?
    var isDisabled: Bool?
    /// Empty removes it.
    var studentID: String?

    enum CodingKeys: String, CodingKey {
        case role, password
        case isDisabled = "disabled"
        case studentID = "student_id"
    }

    /// All but the password.
    ///
    /// - Throws: `Problem` with 422.
    func apply(to user: inout User) throws {
        if let role {
            user.role = role
            if role != .student { user.studentID = nil }
        }
        if let studentID {
            user.studentID = studentID.isEmpty ? nil : studentID
            try UserDraft.check(user.studentID, role: user.role)
        }
        if let isDisabled, isDisabled != user.isDisabled { user.disabledAt = isDisabled ? .now : nil }
    }
}

extension Problem {
    static func invalidUser(_ pointer: String, _ detail: String) -> Problem {
        Problem(
            .unprocessableContent, "invalid-user", "\(pointer) \(detail).",
            errors: [FieldProblem(pointer: pointer, detail: detail)])
    }
}
