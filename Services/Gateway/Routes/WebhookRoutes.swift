import Access
import Audit
import Domain
import EventBus
import HTTPTypes
import Hummingbird
import Webhooks

/// Webhooks: administrators have to do with all, teachers with their own. What a webhook gets is decided when an event is
/// delivered, by what its owner may see then.
struct WebhookRoutes: Sendable {
    let webhooks: WebhookStore
    let access: ExamAccess
    let audit: AuditLog
    let sender: WebhookSender
    let configuration: WebhookConfiguration
    /// Of tests, which wait for others.
    private let limit = ConcurrencyLimit(16, maxWaiting: 16)

    /// How long a secret that was replaced still signs.
    private static let overlap: Int64 = 24 * 3600 * 1000
    private static let roles: Set<Role> = [.admin, .teacher]

    init(
        webhooks: WebhookStore, access: ExamAccess, audit: AuditLog, sender: WebhookSender,
        configuration: WebhookConfiguration
    ) {
        self.webhooks = webhooks
        self.access = access
        self.audit = audit
        self.sender = sender
        self.configuration = configuration
    }

    func declare(in routes: RouteTable) {
        let roles = Self.roles
        routes.on(
            .post, "/api/webhooks", allow: roles,
            Operation(
                "Has events sent to an address, signed as Standard Webhooks says.",
                detail: "The secret is shown in this answer alone. Events come at least once and in no certain order.",
                body: .json(.webhookDraft),
                .json(.webhookWithSecret, .created, headers: [.location: "Where it is."]),
                problems: [.conflict, .notFound], repetition: .byBody),
            use: create)
        routes.on(
            .get, "/api/webhooks", allow: roles,
            Operation(
                "Lists webhooks: an administrator's list has all.", parameters: [.cursor, .limit()],
                .json(.list(of: .webhook))),
            use: list)
        routes.on(
            .get, "/api/webhooks/{webhook}", allow: roles,
            Operation("Shows a webhook and how its latest deliveries went.", .json(.webhook)),
            use: { try await .json(document(try await own($0))) })
        routes.on(
            .patch, "/api/webhooks/{webhook}", allow: roles,
            Operation(
                "Changes a webhook; what is absent stays.",
                detail: "To enable it, or any change, begins the count of its failures anew.",
                body: .json(.webhookPatch), .json(.webhook)),
            use: change)
        routes.on(
            .delete, "/api/webhooks/{webhook}", allow: roles, Operation("Removes a webhook.", .deleted), use: remove)
        routes.on(
            .post, "/api/webhooks/{webhook}/test", allow: roles,
            Operation(
                "Sends a test now, and tells what the receiver answered.",
                detail: "Its type is system.health_check. It is sent to a disabled webhook too.", .json(.webhookTest)),
            use: test)
        routes.on(
            .post, "/api/webhooks/{webhook}/secret", allow: roles,
            Operation(
                "Gives a webhook a new secret, shown in this answer alone.",
                detail: "For a day deliveries are signed with the former one as well.", .json(.webhookWithSecret)),
            use: rotate)
    }

    @Sendable
    private func create(_ call: Call) async throws -> Response {
        let request = try await call.json(WebhookRequest.self, limit: 32 << 10)
        let url = try request.check(isNew: true, configuration: configuration)
        for exam in request.exams ?? [] { _ = try await access.exam(exam, for: call.bearer) }
        let id = "wh_" + (call.repeatableID("webhook") ?? UUIDv7.make().compactString)
        var webhook = Webhook(
            id: id, url: url ?? "", eventTypes: request.types ?? [], examIDs: request.exams ?? [],
            description: request.description, owner: call.bearer.user, ownerRole: call.bearer.role, secret: .make(),
            createdAt: .now)
        if request.isEnabled == false { webhook.disabled = Self.disabled }
        let stored = try await webhooks.create(webhook, context: call.eventContext)
        return try .json(
            try await document(stored, showsSecret: true), status: .created,
            headers: [.location: "/api/webhooks/\(stored.id)"])
    }

    @Sendable
    private func list(_ call: Call) async throws -> Response {
        let page = try await webhooks.webhooks(
            of: call.bearer.role == .admin ? nil : call.bearer.user, cursor: try call.cursor(),
            limit: try call.limit())
        let states = try await webhooks.states(of: page.webhooks.map(\.id))
        return try .json(
            ListDocument(
                items: zip(page.webhooks, states).map { WebhookDocument(webhook: $0, state: $1) },
                nextCursor: page.nextCursor))
    }

    @Sendable
    private func change(_ call: Call) async throws -> Response {
        let request = try await call.json(WebhookRequest.self, limit: 32 << 10)
        let url = try request.check(isNew: false, configuration: configuration)
        let id = try await own(call).id
        let bearer = call.bearer
        for exam in request.exams ?? [] { _ = try await access.exam(exam, for: bearer) }
        let webhook = try await webhooks.change(id, context: call.eventContext) { webhook in
            if let url { webhook.url = url }
            if let types = request.types { webhook.eventTypes = types }
            if let exams = request.exams { webhook.examIDs = exams }
            if let description = request.description { webhook.description = description.isEmpty ? nil : description }
            if let isEnabled = request.isEnabled, isEnabled != (webhook.disabled == nil) {
                webhook.disabled = isEnabled ? nil : Self.disabled
            }
            if webhook.owner == bearer.user { webhook.ownerRole = bearer.role }
        }
        return try .json(try await document(webhook))
    }

    @Sendable
    private func remove(_ call: Call) async throws -> Response {
        try await webhooks.remove(try await own(call).id, context: call.eventContext)
        return Response(status: .noContent)
    }

    /// The event is on no stream: nobody else is to see it.
    @Sendable
    private func test(_ call: Call) async throws -> Response {
        let webhook = try await own(call)
        try await audit.append(
            AuditEntry(
                .webhookTested, subject: "webhook/\(webhook.id)", examID: nil, context: call.eventContext,
                details: ["owner": webhook.owner.rawValue]))
        let event = EventEnvelope(
            id: UUIDv7.make().string, source: "/zhiyue/gateway", type: SystemHealthCheck.type,
            subject: "webhook/\(webhook.id)", time: .now, schemaVersion: 1, correlationID: call.context.correlationID,
            actor: call.bearer.user, data: Array(#"{"test":true}"#.utf8))
        let body = try EventCodec.cloudEventJSON(event)
        let answer = try await limit.run { await sender.send(body, id: event.id, to: webhook) }
        return try .json(WebhookTestDocument(answer, eventID: event.id))
    }

    @Sendable
    private func rotate(_ call: Call) async throws -> Response {
        let (id, secret) = (try await own(call).id, WebhookSecret.make())
        let webhook = try await webhooks.change(id, context: call.eventContext) { webhook in
            webhook.formerSecret = webhook.secret
            webhook.formerSecretUntil = Timestamp(milliseconds: Timestamp.now.milliseconds + Self.overlap)
            webhook.secret = secret
        }
        return try .json(try await document(webhook, showsSecret: true))
    }

    // MARK: Inside

    private static var disabled: Webhook.Disabling {
        Webhook.Disabling(since: .now, reason: "It was disabled by request.")
    }

    /// The webhook of the address. Who has nothing to do with it does not learn that there is one.
    private func own(_ call: Call) async throws -> Webhook {
        let id = call.parameter("webhook")
        guard let webhook = try await webhooks.webhook(id),
            call.bearer.role == .admin || webhook.owner == call.bearer.user
        else { throw Problem.notFound("webhook", id) }
        return webhook
    }

    private func document(_ webhook: Webhook, showsSecret: Bool = false) async throws -> WebhookDocument {
        let states = try await webhooks.states(of: [webhook.id])
        guard let state = states.first else { throw Problem.notFound("webhook", webhook.id) }
        return WebhookDocument(webhook: webhook, state: state, showsSecret: showsSecret)
    }
}
