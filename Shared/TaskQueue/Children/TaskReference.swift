package import Domain

/// A task of any type. As text `type/id`; neither part can hold a slash or a space.
package struct TaskReference: Sendable, Hashable {
    package let type: TaskType
    package let id: TaskID

    package init(type: TaskType, id: TaskID) {
        self.type = type
        self.id = id
    }

    init?(text: String) {
        let parts = text.split(separator: "/", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        type = TaskType(String(parts[0]))
        id = TaskID(String(parts[1]))
    }

    var text: String { "\(type)/\(id)" }
}
