internal import ArgumentParser
internal import Domain
internal import TaskQueue

extension TaskID: ExpressibleByArgument {
    init?(argument: String) {
        self.init(argument)
    }
}

extension TaskType: ExpressibleByArgument {
    init?(argument: String) {
        self.init(argument)
    }

    static var known: [TaskType] { TaskCatalog.all.map { $0.type } }
    static var knownText: String { known.map(\.rawValue).joined(separator: ", ") }

    func requireKnown() throws {
        guard Self.known.contains(self) else {
            throw ValidationError("\(self) is no type of tasks; there are \(Self.knownText)")
        }
    }
}

extension TaskState: ExpressibleByArgument {}
extension TaskPriority: ExpressibleByArgument {}
