/// Some tasks, and where to go on.
package struct TaskPage: Codable, Sendable, Equatable {
    /// Fewer than asked for is not the end; that is when `nextCursor` is nil.
    package var items: [TaskRecord]
    package var nextCursor: String?

    enum CodingKeys: String, CodingKey {
        case items
        case nextCursor = "next_cursor"
    }
}
