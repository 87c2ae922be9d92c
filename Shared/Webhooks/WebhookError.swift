/// Why a webhook could not be changed.
package struct WebhookError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        case notFound
        /// There are as many as there may be.
        case tooMany
        /// Others changed it so often that the change was given up; it may be tried again.
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
