/// Bounds of what users are granted.
package enum GrantLimits {
    /// Seconds that no access token and no session outlives: revocations are kept so long. A leap year.
    package static let longestLifetime = 366 * 86_400
}

/// A user as stored.
package struct User: Codable, Equatable, Sendable {
    package var id: UserID
    package var role: Role
    /// `scrypt$N$r$p$salt$hash`, salt and hash in base64.
    package var passwordHash: String
    package var createdAt: Timestamp
    /// nil until the first change.
    package var updatedAt: Timestamp?
    /// Of a student: the number on the student's sheets.
    package var studentID: String?
    /// When the user was disabled; nil for one who may sign in.
    package var disabledAt: Timestamp?

    package init(
        id: UserID, role: Role, passwordHash: String, createdAt: Timestamp, studentID: String? = nil
    ) {
        self.id = id
        self.role = role
        self.passwordHash = passwordHash
        self.createdAt = createdAt
        self.studentID = studentID
    }

    package var isDisabled: Bool { disabledAt != nil }

    /// True for a number that can stand on a sheet: 1 to 20 digits.
    package static func isStudentNumber(_ text: String) -> Bool {
        (1...20).contains(text.utf8.count)
            && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
