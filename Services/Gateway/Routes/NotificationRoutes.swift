import Access
import ExamStore
import Hummingbird

/// `GET /api/notifications`: the inbox of whoever asks, the newest first.
struct NotificationRoutes: Sendable {
    let store: ExamStore

    func declare(in routes: RouteTable) {
        routes.on(
            .get, "/api/notifications", allow: .everyone,
            Operation(
                "Lists the inbox of whoever asks, the newest first.", parameters: [.cursor, .limit()],
                .json(.list(of: .message)))
        ) { call in
            let page = try await store.inbox(
                user: call.bearer.user, cursor: try call.cursor(), limit: try call.limit())
            return try .json(ListDocument(page))
        }
    }
}
