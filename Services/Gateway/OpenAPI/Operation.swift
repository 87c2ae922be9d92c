import HTTPTypes
import Hummingbird
import TaskQueue

/// What clients are told about a method at an address: the only place where that is written, since an address cannot be
/// declared without it.
struct Operation: Sendable {
    struct Parameter: Sendable {
        enum Place: String, Sendable {
            case query, header, path
        }

        let name: String
        var place = Place.query
        let schema: Schema
        let detail: String
    }

    struct Body: Sendable {
        let type: String
        let schema: Schema
        var example: JSONValue?
    }

    struct Answer: Sendable {
        let status: HTTPResponse.Status
        let detail: String
        /// nil for an answer without content.
        var type: String?
        var schema: Schema?
        /// Header fields of this answer that others do not have.
        var headers: [HTTPField.Name: String] = [:]
    }

    /// Whether a request with an `Idempotency-Key` is done once however often it is sent.
    enum Repetition: Sendable {
        case none
        /// The whole body tells one request from another.
        case byBody
        /// The handler itself asks, when it knows what tells one request from another.
        case byHandler
    }

    /// One sentence, with a full stop.
    let summary: String
    /// More sentences.
    let detail: String?
    let parameters: [Parameter]
    let body: Body?
    let answers: [Answer]
    /// Beyond those that follow from the rest.
    let problems: [HTTPResponse.Status]
    let repetition: Repetition

    init(
        _ summary: String, detail: String? = nil, parameters: [Parameter] = [], body: Body? = nil, _ answers: Answer...,
        problems: [HTTPResponse.Status] = [], repetition: Repetition = .none
    ) {
        self.summary = summary
        self.detail = detail
        self.parameters = parameters + (repetition == .none ? [] : [.idempotencyKey])
        self.body = body
        self.answers = answers
        self.problems = problems + (repetition == .none ? [] : [.conflict, .unprocessableContent])
        self.repetition = repetition
    }

    func hasQuery(_ name: String) -> Bool { parameters.contains { $0.place == .query && $0.name == name } }

    /// All statuses of problem documents that can come back.
    ///
    /// - Parameter isOpen: true when nobody has to sign in.
    func allProblems(path: String, isOpen: Bool) -> [HTTPResponse.Status] {
        var statuses = problems + [.tooManyRequests, .internalServerError, .serviceUnavailable]
        if !isOpen { statuses += [.unauthorized, .forbidden] }
        if path.contains("{") { statuses.append(.notFound) }
        if !parameters.isEmpty { statuses.append(.badRequest) }
        if body != nil { statuses += [.badRequest, .contentTooLarge, .unsupportedMediaType, .unprocessableContent] }
        return statuses
    }
}

extension Operation.Parameter {
    static func query(_ name: String, _ schema: Schema, _ detail: String) -> Self {
        Self(name: name, schema: schema, detail: detail)
    }

    static func header(_ name: HTTPField.Name, _ schema: Schema, _ detail: String) -> Self {
        Self(name: name.rawName, place: .header, schema: schema, detail: detail)
    }

    static func limit(max: Int = 200) -> Self {
        query("limit", .integer(1...max), "How many items at most; \(min(50, max)) when absent.")
    }

    static let cursor = query(
        "cursor", .string(1...200, pattern: "^[0-9A-Za-z._:@/|-]+$"), "The next_cursor of an earlier page.")
    static let examFilter = query("exam_id", .examID, "Of this exam only.")
    static let typeFilter = query("type", .string, "Of these types only: names of events separated by commas.")
    static let correlationFilter = query(
        "correlation_id", .string(1...64, pattern: "^[0-9A-Za-z._:-]+$"), "Of this chain of causes only.")
    /// Those of `EventSelection`.
    static let eventFilters = [examFilter, typeFilter, correlationFilter]
    static let from = query("from", .time, "Not before this time, in UTC.")
    static let to = query("to", .time, "Not after this time, in UTC.")
    static let ifMatch = header(.ifMatch, .string, "Only if the record still has this ETag; else 412.")
    static let idempotencyKey = header(
        .idempotencyKey, .string(1...255, pattern: "^[!-~]+$"),
        "A name of your choice for this request. Sent again within a day, it gets the first answer again.")
    static let ifNoneMatch = header(.ifNoneMatch, .string, "Only if it has another ETag than this; else 304.")
}

extension Operation.Body {
    static func json(_ schema: Schema, example: JSONValue? = nil) -> Self {
        Self(type: "application/json", schema: schema, example: example)
    }

    static func form(_ schema: Schema) -> Self { Self(type: "multipart/form-data", schema: schema) }
}

extension Operation.Answer {
    static func json(
        _ schema: Schema, _ status: HTTPResponse.Status = .ok, _ detail: String? = nil,
        headers: [HTTPField.Name: String] = [:]
    ) -> Self {
        Self(
            status: status, detail: detail ?? status.reasonPhrase, type: "application/json", schema: schema,
            headers: headers)
    }

    /// Content that is no JSON.
    static func content(_ type: String, _ detail: String, headers: [HTTPField.Name: String] = [:]) -> Self {
        Self(status: .ok, detail: detail, type: type, schema: type.hasPrefix("text/") ? .string : nil, headers: headers)
    }

    static func empty(_ status: HTTPResponse.Status, _ detail: String) -> Self {
        Self(status: status, detail: detail)
    }

    static let notModified = empty(.notModified, "It is what If-None-Match names.")
    static let deleted = empty(.noContent, "It is gone.")
}
