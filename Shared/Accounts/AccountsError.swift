/// Why an account could not be changed.
package struct AccountsError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        case noUser
        case userExists
        /// There must always be an administrator who can sign in.
        case lastAdministrator
        /// Others changed the same user so often that the change was given up; it may be tried again.
        case contention
        /// A stored record cannot be understood.
        case corrupt
    }

    package let code: Code
    package let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
