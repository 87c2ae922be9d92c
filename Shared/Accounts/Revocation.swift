package import Domain

/// What was taken back before its time.
package enum Revocation: Equatable, Sendable {
    /// Everything granted to the user up to and including `before`, by the clock of Redis.
    case user(UserID, before: Timestamp)
    /// A session or a single token, by its identifier; nothing that carries it lives beyond `until`.
    case identifier(String, user: UserID, until: Timestamp)

    package var user: UserID {
        switch self {
        case .user(let user, _), .identifier(_, let user, _): user
        }
    }
}
