internal import Domain

/// What was done. Names of later releases are read like any other.
package struct AuditAction: StringIdentifier {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    package static let signedIn: AuditAction = "sign_in.accepted"
    package static let signInRefused: AuditAction = "sign_in.refused"
    package static let signedOut: AuditAction = "sign_out"
    /// A refresh token came a second time.
    package static let sessionReused: AuditAction = "session.reused"
    package static let keysRotated: AuditAction = "keys.rotated"
    package static let tokenIssued: AuditAction = "token.issued"
    package static let userCreated: AuditAction = "user.created"
    package static let userChanged: AuditAction = "user.changed"
    package static let userRemoved: AuditAction = "user.removed"
    /// Failed sign-ins of the user are forgotten.
    package static let userUnlocked: AuditAction = "user.unlocked"
    /// Everything that was granted to a user is void.
    package static let sessionsRevoked: AuditAction = "sessions.revoked"
    package static let examCreated: AuditAction = "exam.created"
    package static let examChanged: AuditAction = "exam.changed"
    package static let examDeleted: AuditAction = "exam.deleted"
    /// Shared with a user, or not any more.
    package static let examShared: AuditAction = "exam.shared"
    package static let markersAssigned: AuditAction = "exam.markers_assigned"
    package static let examPublished: AuditAction = "exam.published"
    package static let examUnpublished: AuditAction = "exam.unpublished"
    /// Marks that were there before became others.
    package static let marksChanged: AuditAction = "marks.changed"
    /// A person decided a mark, or something else about a sheet.
    package static let reviewSettled: AuditAction = "review.settled"
    package static let reviewAssigned: AuditAction = "review.assigned"
    package static let eventsReplayed: AuditAction = "events.replayed"
    package static let replayCancelled: AuditAction = "replay.cancelled"
    package static let deadLettersRequeued: AuditAction = "dead_letters.requeued"
    package static let deadLettersPurged: AuditAction = "dead_letters.purged"
    package static let tasksSubmitted: AuditAction = "tasks.submitted"
    package static let tasksCancelled: AuditAction = "tasks.cancelled"
    package static let tasksRetried: AuditAction = "tasks.retried"
    package static let tasksPurged: AuditAction = "tasks.purged"
    package static let queuePaused: AuditAction = "queue.paused"
    package static let queueResumed: AuditAction = "queue.resumed"
    package static let queueLimited: AuditAction = "queue.limited"
    package static let scheduleSet: AuditAction = "schedule.set"
    package static let scheduleRemoved: AuditAction = "schedule.removed"
    package static let auditExported: AuditAction = "audit.exported"
    package static let webhookCreated: AuditAction = "webhook.created"
    /// By whom it belongs to, or disabled by the system.
    package static let webhookChanged: AuditAction = "webhook.changed"
    package static let webhookRemoved: AuditAction = "webhook.removed"
    package static let webhookTested: AuditAction = "webhook.tested"

    package static let all: [AuditAction] = [
        .signedIn, .signInRefused, .signedOut, .sessionReused, .keysRotated, .tokenIssued, .userCreated, .userChanged,
        .userRemoved,
        .userUnlocked, .sessionsRevoked, .examCreated, .examChanged, .examDeleted, .examShared, .markersAssigned,
        .examPublished,
        .examUnpublished, .marksChanged, .reviewSettled, .reviewAssigned,
        .eventsReplayed, .replayCancelled, .deadLettersRequeued, .deadLettersPurged, .tasksSubmitted, .tasksCancelled,
        .tasksRetried, .tasksPurged, .queuePaused, .queueResumed, .queueLimited,
        .scheduleSet, .scheduleRemoved, .auditExported, .webhookCreated, .webhookChanged, .webhookRemoved,
        .webhookTested,
    ]
}
