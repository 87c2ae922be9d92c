/// A message was put into a user's inbox.
package struct NotificationCreated: EventPayload {
    package static let type: EventType = "notification.created"

    package var user: UserID
    package var message: InboxMessage

    package init(user: UserID, message: InboxMessage) {
        self.user = user
        self.message = message
    }

    package var subject: String { user.rawValue }
}
