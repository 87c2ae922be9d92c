internal import ArgumentParser
internal import Audit
internal import Domain
internal import EventBus

/// Has events of the past handled again.
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Have events of a range handled again, by a handler or all of a group.",
        discussion: """
            The running service of the group does the work, beside its live events, which stay where they are. Events \
            of an exam keep their order. See the handlers with zhiyue events handlers, and how far it is with zhiyue \
            events replays.
            """)

    @Option(help: "Only this handler, as AnalyticsEventHandler.")
    var handler: String?

    @Option(help: "All handlers of this group, or the one named.")
    var group: String?

    @OptionGroup var selection: EventSelectionOptions
    @OptionGroup var range: TimeRangeOptions
    @OptionGroup var system: SystemOptions

    @Flag(help: "Only count what would be handled.")
    var dryRun = false

    @Flag(help: "Wait for the end; exit status 1 when an event could not be handled.")
    var wait = false

    @Flag(help: "A JSON object a line.")
    var json = false

    func validate() throws {
        guard dryRun || handler != nil || group != nil else {
            throw ValidationError("say who is to handle the events again: --handler, --group or both")
        }
    }

    func run() async throws {
        try await system.withConnection { connection in
            if dryRun { return try await count(connection.bus) }
            var replays: [ReplayStatus] = []
            for target in try await connection.bus.replayableHandlers(group: group, handler: handler) {
                try await record(target, connection.audit)
                replays.append(
                    try await connection.bus.startReplay(request(.handler(group: target.group, name: target.name))))
            }
            if wait { replays = try await finished(replays, connection.bus) }
            if !json { print(ReplayText.header) }
            for replay in replays { print(try ReplayText.line(replay, json: json)) }
            let failed = replays.reduce(0) { $0 + $1.failed }
            if failed > 0 {
                throw CommandFailure("\(failed) events could not be handled; see zhiyue events replays ID --json")
            }
            if wait, replays.contains(where: { $0.state == .cancelled }) { throw CommandFailure("it was cancelled") }
        }
    }

    private func request(_ target: ReplayRequest.Target) -> ReplayRequest {
        ReplayRequest(
            target: target, filter: selection.filter, from: range.since?.time, to: range.until?.time,
            requestedBy: UserID(Operator.name))
    }

    private func count(_ bus: EventBus) async throws {
        // A name that is wrong is better told now than at the real run.
        if handler != nil || group != nil { _ = try await bus.replayableHandlers(group: group, handler: handler) }
        let count = try await bus.countReplay(request(.temporaryGroup))
        if json { return print(try JSON.string(ReplayCountDocument(count))) }
        print("\(count.events) events of \(count.exams) exams")
        for (type, events) in count.byType.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            print(TextColumns(widths: [24]).line(["  \(type)", "\(events)"]))
        }
    }

    private func finished(_ replays: [ReplayStatus], _ bus: EventBus) async throws -> [ReplayStatus] {
        while true {
            var latest: [ReplayStatus] = []
            for replay in replays {
                guard let status = try await bus.replay(replay.id) else {
                    throw CommandFailure("the replay \(replay.id) is known no more")
                }
                latest.append(status)
            }
            if latest.allSatisfy(\.isFinished) { return latest }
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    private func record(_ target: ReplayableHandler, _ audit: AuditLog) async throws {
        var details = selection.details
        details["group"] = target.group
        details["handler"] = target.name
        details["from"] = range.since?.time.rfc3339
        details["to"] = range.until?.time.rfc3339
        try await audit.append(
            Operator.entry(
                .eventsReplayed, subject: "handler/\(target.name)", examID: selection.filter.examID, details: details))
    }
}

/// Shows replays and stops them.
struct ReplaysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replays", abstract: "Show replays and how far they are, the newest first.")

    @Argument(help: "Only this one.")
    var id: ReplayID?

    @OptionGroup var system: SystemOptions

    @Flag(help: "Stop the one named; what it did stays done.")
    var cancel = false

    @Option(help: "At most so many, 1 to 1000.")
    var limit = 50

    @Flag(help: "A JSON object a line.")
    var json = false

    func validate() throws {
        if cancel, id == nil { throw ValidationError("--cancel needs the id of a replay") }
        guard (1...1000).contains(limit) else { throw ValidationError("--limit must be from 1 to 1000") }
    }

    func run() async throws {
        try await system.withConnection { connection in
            if cancel, let id {
                _ = try await replay(id, connection.bus)
                try await connection.audit.append(Operator.entry(.replayCancelled, subject: "replay/\(id)"))
                guard try await connection.bus.cancelReplay(id) else {
                    throw CommandFailure("the replay \(id) has ended already")
                }
            }
            let replays =
                if let id { [try await replay(id, connection.bus)] } else {
                    try await connection.bus.replays(limit: limit)
                }
            if !json { print(ReplayText.header) }
            for replay in replays { print(try ReplayText.line(replay, json: json)) }
        }
    }

    private func replay(_ id: ReplayID, _ bus: EventBus) async throws -> ReplayStatus {
        guard let status = try await bus.replay(id) else {
            throw CommandFailure("there is no replay \(id); see zhiyue events replays")
        }
        return status
    }
}

/// Shows who can handle events again.
struct HandlersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "handlers", abstract: "Show the handlers that running services offer for replays.")

    @OptionGroup var system: SystemOptions

    @Flag(help: "A JSON object a line.")
    var json = false

    func run() async throws {
        try await system.withConnection { connection in
            let columns = TextColumns(widths: [20])
            if !json { print(columns.line(["GROUP", "HANDLER"])) }
            for handler in try await connection.bus.replayableHandlers() {
                print(
                    json
                        ? try JSON.string(["group": handler.group, "handler": handler.name])
                        : columns.line([handler.group, handler.name]))
            }
        }
    }
}

extension ReplayID: ExpressibleByArgument {
    init?(argument: String) {
        guard !argument.isEmpty else { return nil }
        self.init(argument)
    }
}

private enum ReplayText {
    private static let columns = TextColumns(widths: [34, 11, 26, 10, 10, 8])

    static let header = columns.line(["ID", "STATE", "HANDLER", "TOTAL", "HANDLED", "FAILED", "REQUESTED"])

    static func line(_ replay: ReplayStatus, json: Bool) throws -> String {
        if json { return try JSON.string(ReplayDocument(replay)) }
        let handler = if case .handler(_, let name) = replay.request.target { name } else { replay.group }
        return columns.line([
            replay.id.rawValue, replay.state.rawValue, handler, "\(replay.total)", "\(replay.handled)",
            "\(replay.failed)", replay.requestedAt.rfc3339,
        ])
    }
}
