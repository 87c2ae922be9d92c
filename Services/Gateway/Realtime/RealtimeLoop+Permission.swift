import Access
import Domain
import NIOCore
import WebSocket

/// Exams that are withdrawn from a user while a subscription names them.
extension RealtimeLoop {
    /// An exam has changed: nothing is sent to those who may have lost it until that is known.
    func review(_ subscriptions: [Subscription], _ exam: ExamID) {
        for subscription in subscriptions {
            guard let user = subscription.connection.user, !policy.seesAllExams(user),
                subscription.filter.exams?.contains(exam) == true
            else { continue }
            subscription.underReview.insert(exam)
            review(subscription, user)
        }
    }

    private func review(_ subscription: Subscription, _ user: RealtimeUser) {
        guard !subscription.isReviewing, let exam = subscription.underReview.first else { return }
        subscription.isReviewing = true
        perform { [policy] in
            try? await policy.sight(of: exam, user)
        } then: { [self] sight in
            subscription.isReviewing = false
            guard !subscription.hasEnded else { return }
            switch sight {
            case .everything: subscription.underReview.remove(exam)
            case .questions(let questions):
                subscription.narrow(exam, to: questions)
                subscription.underReview.remove(exam)
            case .nothing: withdraw(exam, from: [subscription])
            case nil:
                eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { self.review(subscription, user) }
                return
            }
            review(subscription, user)
            catchUp(subscription)
            subscription.connection.flush()
        }
    }

    func withdraw(_ exam: ExamID, from subscriptions: [Subscription]) {
        // What was before it is still sent.
        writeRound()
        for subscription in subscriptions where !subscription.hasEnded {
            guard let user = subscription.connection.user, !policy.seesAllExams(user) else { continue }
            index.remove(subscription, from: exam)
            subscription.withdraw(exam)
            statistics.withdrawn += 1
            subscription.connection.send(
                ServerMessage.error(
                    ClientMessage.Fault(
                        id: subscription.id, code: "permission_withdrawn",
                        message: "The exam \(exam) was deleted, or is no longer yours.")))
            if subscription.filter.exams?.isEmpty == true { subscription.connection.end(subscription) }
        }
    }

    func revoke(_ user: UserID) {
        for connection in connections.values where connection.user?.id == user {
            guard let claims = connection.user?.claims, authenticator.revocations.isRevoked(claims) else { continue }
            connection.close(.accessWithdrawn, "the sign-in was withdrawn")
        }
    }
}
