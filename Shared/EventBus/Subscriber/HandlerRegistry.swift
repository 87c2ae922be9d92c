import Domain

/// Which handlers want which events.
struct HandlerRegistry: Sendable {
    private let all: [any EventHandler]
    private let byType: [EventType: [any EventHandler]]
    private let unconditional: [any EventHandler]

    init(_ handlers: [any EventHandler]) {
        all = handlers
        unconditional = handlers.filter(\.eventTypes.isEmpty)
        let types = handlers.reduce(into: Set<EventType>()) { $0.formUnion($1.eventTypes) }
        byType = Dictionary(
            uniqueKeysWithValues: types.map { type in
                (type, handlers.filter { $0.eventTypes.isEmpty || $0.eventTypes.contains(type) })
            })
    }

    /// In the order they were registered.
    func handlers(for type: EventType) -> [any EventHandler] {
        byType[type] ?? unconditional
    }

    func validate() throws(EventBusError) {
        let names = all.map(\.name)
        guard !names.isEmpty else { throw EventBusError(.invalidArgument, "A subscriber needs a handler") }
        guard Set(names).count == names.count else {
            throw EventBusError(.invalidArgument, "Two handlers of a group have the same name: \(names)")
        }
    }
}
