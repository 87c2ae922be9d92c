import Access
import Domain
import HTTPTypes
import Hummingbird
import Logging

/// A request of a signed-in user.
struct Call: Sendable {
    private(set) var request: Request
    let context: GatewayContext
    let bearer: AccessClaims
    let operation: Operation
    let repeats: RepeatStore
    /// Set while the request has an `Idempotency-Key`: what it and its content are.
    private var identity: (key: RepeatKey, fingerprint: String)?

    init(
        request: Request, context: GatewayContext, bearer: AccessClaims, operation: Operation, repeats: RepeatStore
    ) {
        self.request = request
        self.context = context
        self.bearer = bearer
        self.operation = operation
        self.repeats = repeats
    }

    /// What the events and tasks caused by this request carry.
    var eventContext: EventContext {
        EventContext(
            source: "/zhiyue/gateway", correlationID: context.correlationID, causationID: nil, actor: bearer.user,
            address: context.address, traceparent: context.trace?.text)
    }

    /// A part of the path, percent-decoded; empty when it cannot be decoded.
    func parameter(_ name: String) -> String {
        (context.parameters.get(name) ?? "").percentDecoded() ?? ""
    }

    var examID: ExamID { ExamID(parameter("exam")) }
    var sheetID: SheetID { SheetID(parameter("sheet")) }
    var reviewID: ReviewID { ReviewID(parameter("review")) }

    // MARK: Query

    /// - Throws: `Problem` when a parameter has no valid value.
    func query<Value>(_ name: String, _ expected: String, _ parse: (String) -> Value?) throws -> Value? {
        guard let text = try query(name) else { return nil }
        guard let value = parse(text) else {
            throw Problem(
                .badRequest, "invalid-query", "The query parameter \(name) must be \(expected).",
                errors: [FieldProblem(pointer: "?\(name)", detail: "must be \(expected)")])
        }
        return value
    }

    /// nil when it is absent or empty.
    ///
    /// - Throws: `Problem` when it stands more than once.
    func query(_ name: String) throws -> String? {
        assert(operation.hasQuery(name), "the description of \(operation.summary) lacks the parameter \(name)")
        let values = request.uri.queryParameters.getAll(name)
        guard values.count <= 1 else {
            throw Problem.badRequest("invalid-query", "stands \(values.count) times", at: "?\(name)")
        }
        return values.first.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// `exam_id`.
    func queriedExam() throws -> ExamID? {
        try query("exam_id", "an identifier of an exam") { text in
            ExamID(text).isValid ? ExamID(text) : nil
        }
    }

    /// `correlation_id`.
    func queriedCorrelation() throws -> CorrelationID? {
        try query("correlation_id", "1 to 64 letters, digits, -, _, . or :") { text in
            RequestIdentifier.isValid(text) ? CorrelationID(text) : nil
        }
    }

    /// `limit`, 50 by default.
    func limit(max: Int = 200) throws -> Int {
        try query("limit", "a whole number from 1 to \(max)") { text in
            Int(text).flatMap { (1...max).contains($0) ? $0 : nil }
        } ?? min(50, max)
    }

    /// `cursor`: what an earlier page gave as `next_cursor`.
    func cursor() throws -> String? {
        try query("cursor", "the next_cursor of an earlier page") { text in
            text.utf8.count <= 200
                && text.utf8.allSatisfy { $0.isASCIIAlphanumeric || "-_.:@/|".utf8.contains($0) } ? text : nil
        }
    }

    // MARK: Repetition

    /// Does `body` once for all requests with the same `Idempotency-Key`; for each that has none.
    ///
    /// - Parameter parts: all that matters of the request besides user and address.
    func once(_ parts: [[UInt8]], _ body: (Call) async throws -> Response) async throws -> Response {
        guard let key = try RepeatKey(request, user: bearer.user) else { return try await body(self) }
        var call = self
        let fingerprint = RepeatKey.digest(of: [Array((request.uri.query ?? "").utf8)] + parts)
        call.identity = (key, fingerprint)
        return try await repeats.once(
            key, fingerprint: fingerprint, owner: UUIDv7.make().compactString, logger: context.logger
        ) { try await body(call) }
    }

    /// The same, with the whole body as what matters.
    func onceByBody(_ body: (Call) async throws -> Response) async throws -> Response {
        guard request.headers[.idempotencyKey] != nil else { return try await body(self) }
        var call = self
        let bytes = try await JSONBody.bytes(of: request, limit: JSONBody.defaultLimit)
        call.request.body = RequestBody(buffer: bytes)
        return try await call.once([Array(bytes.readableBytesView)], body)
    }

    /// An identifier for what this request creates, the same whenever it is repeated; nil without an `Idempotency-Key`.
    func repeatableID(_ name: String) -> String? {
        identity.map { $0.key.identifier(name, fingerprint: $0.fingerprint) }
    }

    // MARK: Body

    /// - Throws: `Problem` with 415, 413, or 400 that tells where the JSON is wrong.
    func json<Value: Decodable>(_ type: Value.Type, limit: Int = JSONBody.defaultLimit) async throws -> Value {
        try await JSONBody.decode(type, from: request, limit: limit)
    }
}
