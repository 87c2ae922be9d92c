internal import Audit
package import Domain
internal import EventBus
internal import Redis

/// Who has to do with an exam, and who may see its results: stored with the exam, each change with `exam.updated` and an
/// entry of the audit log in one script.
extension ExamStore {
    /// - Parameter access: nil takes it back.
    /// - Throws: `ExamStoreError` with `.notFound`, or `.tooMany` beyond `ExamGrants.maxShares`.
    package func share(
        _ id: ExamID, with user: UserID, _ access: ExamGrants.Access?, context: EventContext
    ) async throws -> Exam {
        try await change(
            id, .examShared, details: ["user": user.rawValue, "access": access?.rawValue ?? "none"], context: context
        ) { exam in
            var grants = exam.grants ?? ExamGrants()
            grants.share(with: user, access)
            guard grants.shares.count <= ExamGrants.maxShares else {
                throw ExamStoreError(.tooMany, "an exam can be shared with \(ExamGrants.maxShares) users")
            }
            exam.grants = grants
        }
    }

    /// - Parameter questions: none takes it back; those the exam does not have are left out.
    /// - Throws: `ExamStoreError` with `.notFound`, or `.tooMany` beyond `ExamGrants.maxMarkers`.
    package func assign(
        _ questions: Set<Int>, of id: ExamID, to user: UserID, context: EventContext
    ) async throws -> Exam {
        let list = questions.sorted().map { "\($0)" }.joined(separator: ",")
        return try await change(
            id, .markersAssigned, details: ["user": user.rawValue, "questions": list], context: context
        ) { exam in
            var grants = exam.grants ?? ExamGrants()
            grants.assign(questions.intersection(exam.questions.map(\.number)), to: user)
            guard grants.markers.count <= ExamGrants.maxMarkers else {
                throw ExamStoreError(.tooMany, "an exam can have \(ExamGrants.maxMarkers) markers")
            }
            exam.grants = grants
        }
    }

    /// Lets students see their results, or not any more. What is published stays as it was first.
    package func setPublished(_ isPublished: Bool, _ id: ExamID, context: EventContext) async throws -> Exam {
        try await change(id, isPublished ? .examPublished : .examUnpublished, context: context) { exam in
            if isPublished != (exam.publishedAt != nil) { exam.publishedAt = isPublished ? .now : nil }
        }
    }

    private func change(
        _ id: ExamID, _ action: AuditAction, details: [String: String] = [:], context: EventContext,
        _ body: (inout Exam) throws -> Void
    ) async throws -> Exam {
        let place = place(of: id)
        return try await update { () -> (RecordTransaction?, Exam) in
            guard let old = try await exam(id) else { throw ExamStoreError.noExam(id) }
            var new = old
            try body(&new)
            if new == old { return (nil, old) }
            new.version += 1
            new.updatedAt = .now
            var transaction = RecordTransaction()
            transaction.require(place.record, field: "version", equals: String(old.version))
            transaction.set(place.record, ["json": try JSON.encode(new), "version": new.version])
            list(new, over: old, at: place, in: &transaction)
            let event = ExamUpdated(
                examID: id, version: new.version, keyVersion: new.keyVersion, keyChanged: false)
            transaction.publish(try EventEnvelope(event, examID: id, context: context), on: place.events)
            try transaction.audit(
                AuditEntry(action, subject: "exam/\(id)", examID: id, context: context, details: details),
                in: place.audit)
            return (transaction, new)
        }
    }

    /// Puts an exam on the lists of those who have to do with it, and takes it off those who have not any more.
    ///
    /// - Parameter new: nil for one that is deleted.
    func list(_ new: Exam?, over old: Exam?, at place: ExamPlace, in transaction: inout RecordTransaction) {
        let (before, after) = (old?.users ?? [], new?.users ?? [])
        for user in before.subtracting(after) {
            transaction.remove(place.exam.rawValue, from: place.exams(of: user))
        }
        if let new {
            for user in after.subtracting(before) {
                transaction.rank(new.id.rawValue, score: new.createdAt.milliseconds, in: place.exams(of: user))
            }
        }
        guard old?.publishedAt != new?.publishedAt else { return }
        if let time = new?.publishedAt {
            transaction.rank(place.exam.rawValue, score: time.milliseconds, in: place.published)
        } else {
            transaction.remove(place.exam.rawValue, from: place.published)
        }
    }
}

extension Exam {
    /// All who find it in their lists.
    var users: Set<UserID> { (grants?.users ?? []).union([owner]) }
}
