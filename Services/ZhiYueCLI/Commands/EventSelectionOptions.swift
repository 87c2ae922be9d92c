internal import ArgumentParser
internal import Domain
internal import EventBus

/// Which events are meant.
struct EventSelectionOptions: ParsableArguments {
    @Option(help: "Only events of this exam.")
    var examID: String?

    @Option(parsing: .upToNextOption, help: "Only events of these types, as ocr.completed.")
    var type: [String] = []

    @Option(help: "Only events of this chain, from the request that began it to its last effect.")
    var correlationID: String?

    var filter: EventFilter {
        EventFilter(
            examID: examID.map { ExamID($0) }, types: Set(type.map { EventType($0) }),
            correlationID: correlationID.map { CorrelationID($0) })
    }

    /// What was asked for, in the words of the audit log.
    var details: [String: String] {
        var details: [String: String] = [:]
        if !type.isEmpty { details["type"] = type.joined(separator: ",") }
        if let correlationID { details["correlation_id"] = correlationID }
        return details
    }

    func validate() throws {
        let known = EventCatalog.all.map { $0.type.rawValue }
        // Programs on the library may have types of their own: only what cannot be a name is refused.
        if let wrong = type.first(where: { !$0.contains(".") }) {
            throw ValidationError("\(wrong) is no type of events; there are \(known.joined(separator: ", "))")
        }
    }
}

/// From when to when.
struct TimeRangeOptions: ParsableArguments {
    @Option(
        name: [.customLong("since"), .customLong("from")], help: "Not before this time, \(TimeArgument.help).")
    var since: TimeArgument?

    @Option(name: [.customLong("until"), .customLong("to")], help: "Not after this time.")
    var until: TimeArgument?

    func validate() throws {
        if let since, let until, until.time < since.time {
            throw ValidationError("--until is before --since")
        }
    }
}
