package import Domain

/// What a password must be. Long ones are worth more than odd ones, so only the length counts (NIST SP 800-63B).
package enum PasswordRule {
    package static let minimumCharacters = 8

    /// - Returns: what is wrong with `password`, to stand behind "the password"; nil when nothing is.
    package static func fault(in password: String, of user: UserID) -> String? {
        if password.count < minimumCharacters { return "must have \(minimumCharacters) characters or more" }
        if password.utf8.count > PasswordHash.maxPasswordBytes {
            return "must have \(PasswordHash.maxPasswordBytes) bytes or less"
        }
        if password.lowercased() == user.rawValue.lowercased() { return "must not be the user's name" }
        return nil
    }
}
