package import Domain
import Redis
internal import Synchronization

extension TaskQueue {
    /// Tasks of one script call: a call of this size takes Redis about two milliseconds.
    static let batchSize = 100

    /// Submits work, once: a task with the same `payload.taskID` that waits, runs, is dead, or ended less than
    /// `resultTTL` ago, is `.existing` and stays as it is. A dead one runs again only by `retry`.
    ///
    /// - Parameter delay: nil: at once.
    /// - Throws: `TaskQueueError` (`queueFull`, `payloadTooLarge`, `invalid`), `RedisError`.
    package func submit(
        _ payload: some TaskPayload, priority: TaskPriority? = nil, examID: ExamID?, context: EventContext,
        delay: Duration? = nil
    ) async throws -> TaskSubmission {
        try await submit(
            raw: TaskDraft(payload, priority: priority, examID: examID, context: context, delay: delay))
    }

    /// Submits a task of any type, with whatever it overrides.
    package func submit(raw draft: TaskDraft) async throws -> TaskSubmission {
        try draft.validate(configuration)
        guard let submission = try await submitter(draft.type).send(draft) else { throw full(draft.type) }
        return submission
    }

    private func submitter(_ type: TaskType) -> Coalescer<TaskDraft, TaskSubmission?> {
        submitters.withLock { submitters in
            if let submitter = submitters[type] { return submitter }
            let submitter = Coalescer(most: Self.batchSize) { [weak self] (drafts: [TaskDraft]) in
                guard let self else { throw TaskQueueError(.unexpectedReply, "the queue is gone") }
                return try await self.submit(drafts, type)
            }
            submitters[type] = submitter
            return submitter
        }
    }

    /// - Returns: what became of each of the drafts, all of one type; nil for one that had no room.
    private func submit(_ drafts: [TaskDraft], _ type: TaskType) async throws -> [TaskSubmission?] {
        let reply = try await evaluateRepeatably(
            scripts.submit, type, [configuration.maxLength] + drafts.flatMap(Self.arguments))
        let answers = reply.array ?? []
        return try drafts.indices.map { try submission($0 < answers.count ? answers[$0] : nil) }
    }

    /// Submits many tasks in one round trip.
    ///
    /// - Returns: what became of each, in the order of `drafts`.
    /// - Throws: `TaskQueueError` of code `.queueFull` when not all had room; those that had are submitted, and
    ///   submitting the whole batch again is safe.
    package func submit(batch drafts: [TaskDraft]) async throws -> [TaskSubmission] {
        var chunks: [[Int]] = []
        var open: [TaskType: Int] = [:]
        for (index, draft) in drafts.enumerated() {
            try draft.validate(configuration)
            if let chunk = open[draft.type], chunks[chunk].count < Self.batchSize {
                chunks[chunk].append(index)
            } else {
                open[draft.type] = chunks.count
                chunks.append([index])
            }
        }
        guard !chunks.isEmpty else { return [] }
        let commands = chunks.map { chunk in
            scripts.submit.command(
                keys: [base(drafts[chunk[0]].type)],
                arguments: [configuration.maxLength] + chunk.flatMap { Self.arguments(drafts[$0]) })
        }
        let replies = try await client.pipeline(commands)
        var submissions = [TaskSubmission?](repeating: nil, count: drafts.count)
        for (chunk, reply) in zip(chunks, replies) {
            if let error = reply.error { throw RedisError(refused: error) }
            for (position, index) in chunk.enumerated() {
                let answer = try submission(reply.array?.dropFirst(position).first)
                guard let answer else { throw full(drafts[index].type) }
                submissions[index] = answer
            }
        }
        return submissions.compactMap { $0 }
    }

    /// - Returns: nil when there was no room.
    private func submission(_ reply: RESPValue?) throws(TaskQueueError) -> TaskSubmission? {
        guard let answer = reply?.array, answer.count == 2, let id = answer[1].string else {
            throw TaskQueueError(.unexpectedReply, "the queue expected the outcome of a submission from Redis")
        }
        return switch answer[0].int {
        case 1: .created(TaskID(id))
        case 0: .existing(TaskID(id))
        default: nil
        }
    }

    private func full(_ type: TaskType) -> TaskQueueError {
        TaskQueueError(
            .queueFull, "\(configuration.maxLength) tasks of type \(type) wait already; try again later")
    }

    private static func arguments(_ draft: TaskDraft) -> [any RedisArgument] {
        [
            draft.id.rawValue, draft.priority.rawValue,
            draft.dueAt.map { "@\($0.milliseconds)" } ?? "\(draft.delay?.milliseconds ?? 0)", draft.uniqueKey ?? "",
            draft.uniqueFor.milliseconds, draft.payload, TaskOrigin(draft).encoded, draft.parent?.text ?? "",
        ]
    }
}
