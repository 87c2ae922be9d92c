import Domain
import Redis

/// Tasks that wait for others: a parent, and children of any types.
///
/// The parent's handler submits children and returns; the parent then is `.waiting` and ends in the very script that learns
/// that its last child has: completed when all of them are, else failed. Parent and children may lie on different servers of a
/// cluster, so no script changes both: a child leaves word in the outbox of its own queue in the script that ends it, and
/// `carry` brings that to the parent's queue, which counts each child once however often it is told.
extension TaskQueue {
    /// Most children of one task.
    package static let maxChildren = 100_000

    /// Submits children of a running task. May be repeated, by the same run or a later one: what is a child already stays so.
    /// A task that was there before becomes a child too; when it has ended, that counts.
    ///
    /// - Parameter drafts: of any types, without unique keys.
    /// - Returns: what became of each, in the order of `drafts`.
    /// - Throws: as `submit(batch:)`; `TaskQueueError` of code `.leaseLost` when the claim is no longer the task's, `.invalid`
    ///   for too many children.
    package func submit(children drafts: [TaskDraft], of parent: TaskClaim) async throws -> [TaskSubmission] {
        var submissions: [TaskSubmission] = []
        for start in stride(from: 0, to: drafts.count, by: 1000) {
            var chunk = Array(drafts[start..<min(start + 1000, drafts.count)])
            for index in chunk.indices {
                guard chunk[index].uniqueKey == nil else {
                    throw TaskQueueError(.invalid, "a child has no unique key: another task would stand for it")
                }
                try chunk[index].validate(configuration)
                chunk[index].parent = TaskReference(type: parent.type, id: parent.id)
            }
            try await adopt(chunk, parent)
            submissions += try await submit(batch: chunk)
        }
        return submissions
    }

    /// Before the children are there, so that none can end unnoticed.
    private func adopt(_ children: [TaskDraft], _ parent: TaskClaim) async throws {
        let references = children.map { TaskReference(type: $0.type, id: $0.id).text }
        let reply = try await evaluateRepeatably(
            scripts.adopt, parent.type,
            [parent.id.rawValue, parent.fence, Self.maxChildren] as [any RedisArgument] + references)
        switch try number(reply) {
        case 1: return
        case 0: throw TaskQueueError(.leaseLost, "the task \(parent.id) has another owner")
        default: throw TaskQueueError(.invalid, "a task has at most \(Self.maxChildren) children")
        }
    }

    /// Tells a parent's queue how children ended.
    ///
    /// - Parameter ends: the state of each child, or nil when it runs again.
    /// - Returns: how much that queue has to tell in turn.
    func fanIn(_ type: TaskType, _ ends: [(parent: TaskID, child: String, state: TaskState?)]) async throws -> Int {
        var news = 0
        for start in stride(from: 0, to: ends.count, by: 500) {
            let chunk = ends[start..<min(start + 500, ends.count)]
            let reply = try await evaluateRepeatably(
                scripts.fanIn, type,
                limits
                    + chunk.flatMap { [$0.parent.rawValue, $0.child, $0.state?.rawValue ?? ""] as [any RedisArgument] })
            news = try number(reply)
        }
        return news
    }

    /// The children of a task and how each ended, nil for those that have not, a page at a time.
    func forEachPageOfChildren(
        _ parent: TaskReference, _ body: ([(child: String, state: TaskState?)]) async throws -> Void
    ) async throws {
        let key = keys.queue(parent.type.rawValue, "children:\(parent.id)")
        var cursor = "0"
        repeat {
            let reply = try await client.send(["HSCAN", key, cursor, "COUNT", 500])
            guard let page = reply.array, page.count == 2, let next = page[0].string, let fields = page[1].fields else {
                throw TaskQueueError(.unexpectedReply, "the queue expected children of a task from Redis")
            }
            cursor = next
            try await body(fields.map { ($0.name, $0.value.string.flatMap(TaskState.init)) })
        } while cursor != "0"
    }
}
