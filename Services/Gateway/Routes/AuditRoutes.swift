import Access
import Audit
import Domain
import Hummingbird

/// `GET /api/audit`: who did what, the newest first; for administrators.
struct AuditRoutes: Sendable {
    let audit: AuditLog

    func declare(in routes: RouteTable) {
        routes.on(
            .get, "/api/audit", allow: [.admin],
            Operation(
                "Lists who did what, the newest first.",
                parameters: [
                    .query("action", .string, "Names of actions separated by commas."),
                    .query("actor", .string, "By this user only."), .examFilter, .correlationFilter, .from, .to,
                    .query("order", .choice(["newest", "oldest"]), "Which come first."), .cursor, .limit(max: 1000),
                ], .json(.list(of: .auditRecord))),
            use: list)
    }

    @Sendable
    private func list(_ call: Call) async throws -> Response {
        let names = AuditAction.all.map(\.rawValue)
        let actions = try call.query("action", "one or some of \(names.joined(separator: ", "))") { text in
            let actions = text.split(separator: ",").map { String($0) }
            return actions.allSatisfy(names.contains) ? Set(actions.map { AuditAction($0) }) : nil
        }
        let isOldestFirst = try call.query("order", "newest or oldest") { text in
            ["newest", "oldest"].contains(text) ? text == "oldest" : nil
        }
        let page = try await audit.list(
            AuditQuery(
                actions: actions ?? [], actor: try call.query("actor"), examID: try call.queriedExam(),
                correlationID: try call.queriedCorrelation(),
                from: try call.query("from", EventSelection.time, Timestamp.init(rfc3339:)),
                to: try call.query("to", EventSelection.time, Timestamp.init(rfc3339:)),
                order: isOldestFirst == true ? .oldestFirst : .newestFirst,
                cursor: try call.query("cursor", "the next_cursor of an earlier page", AuditCursor.init),
                limit: try call.limit(max: 1000)))
        return try .json(ListDocument(items: page.records, nextCursor: page.next?.description))
    }
}
