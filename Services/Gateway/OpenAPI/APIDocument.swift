import Access
import Domain
import HTTPTypes
import TaskQueue

/// The OpenAPI 3.1 description of all declared addresses, `GET /openapi.json`.
struct APIDocument {
    private var paths: [String: [String: JSONValue]] = [:]
    private var schemas = Schema.problem.components

    /// - Parameter roles: nil when nobody has to sign in.
    mutating func add(_ method: HTTPRequest.Method, _ path: String, roles: Set<Role>?, _ operation: Operation) {
        let roleNames = Role.allCases.filter { roles?.contains($0) == true }.map(\.rawValue)
        var item: [String: JSONValue] = [
            "summary": .string(operation.summary),
            "operationId": .string(Self.identifier(method, path)),
            "tags": [.string(Self.tag(of: path))],
            "security": roles == nil ? [] : [["bearer": .array(roleNames.map { .string($0) })]],
            "responses": .object(responses(of: operation, path: path, isOpen: roles == nil)),
        ]
        let audience = roles.map { _ in "For \(roleNames.joined(separator: ", "))." }
        let detail = [operation.detail, audience].compactMap { $0 }.joined(separator: " ")
        if !detail.isEmpty { item["description"] = .string(detail) }
        let parameters = Self.pathParameters(of: path) + operation.parameters
        if !parameters.isEmpty { item["parameters"] = .array(parameters.map { parameter($0) }) }
        if let body = operation.body {
            var content: [String: JSONValue] = ["schema": reference(body.schema)]
            content["example"] = body.example
            item["requestBody"] = ["required": true, "content": .object([body.type: .object(content)])]
        }
        paths[path, default: [:]][method.rawValue.lowercased()] = .object(item)
    }

    var json: JSONValue {
        [
            "openapi": "3.1.0",
            "info": [
                "title": "ZhiYue", "version": "1.0.0", "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
                "description": .string(Self.introduction),
            ],
            "servers": [["url": "/"]],
            "paths": .object(paths.mapValues { .object($0) }),
            "components": [
                "schemas": .object(schemas),
                "securitySchemes": [
                    "bearer": [
                        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                        "description": "An access token of POST /api/auth/token or of `zhiyue token`.",
                    ]
                ],
            ],
        ]
    }

    private static let introduction = """
        Marks paper exams. Errors are problem documents (RFC 9457); `errors` says what is wrong where. Members of a \
        request's JSON that are not known are ignored, so what was read can be sent back changed. Lists come in pages. \
        Every answer has an X-Request-ID and an X-Correlation-ID, taken from the request when it has them.
        """

    // MARK: Parts

    private mutating func responses(of operation: Operation, path: String, isOpen: Bool) -> [String: JSONValue] {
        var responses: [String: JSONValue] = [:]
        for answer in operation.answers {
            var response: [String: JSONValue] = ["description": .string(answer.detail)]
            if let type = answer.type {
                response["content"] = .object([type: answer.schema.map { ["schema": reference($0)] } ?? [:]])
            }
            var headers = answer.headers
            if operation.repetition != .none {
                headers[.idempotencyReplayed] = "true when this is the answer to an earlier request of the same key."
            }
            if !headers.isEmpty {
                response["headers"] = .object(
                    Dictionary(
                        uniqueKeysWithValues: headers.map { name, detail in
                            (name.rawName, ["schema": ["type": "string"], "description": .string(detail)])
                        }))
            }
            responses[String(answer.status.code)] = .object(response)
        }
        for status in operation.allProblems(path: path, isOpen: isOpen) where responses[String(status.code)] == nil {
            responses[String(status.code)] = [
                "description": .string(status.reasonPhrase),
                "content": ["application/problem+json": ["schema": Schema.problem.json]],
            ]
        }
        return responses
    }

    private mutating func parameter(_ parameter: Operation.Parameter) -> JSONValue {
        [
            "name": .string(parameter.name), "in": .string(parameter.place.rawValue),
            "required": .bool(parameter.place == .path), "description": .string(parameter.detail),
            "schema": reference(parameter.schema),
        ]
    }

    /// Takes the named schemas along.
    private mutating func reference(_ schema: Schema) -> JSONValue {
        for (name, json) in schema.components {
            assert(schemas[name] ?? json == json, "two schemas have the name \(name)")
            schemas[name] = json
        }
        return schema.json
    }

    private static func pathParameters(of path: String) -> [Operation.Parameter] {
        path.split(separator: "/").compactMap { part in
            guard part.hasPrefix("{"), part.hasSuffix("}") else { return nil }
            let name = String(part.dropFirst().dropLast())
            return Operation.Parameter(
                name: name, place: .path, schema: pathSchemas[name] ?? .string(1...200),
                detail: "The identifier of the \(name).")
        }
    }

    private static let pathSchemas: [String: Schema] = [
        "exam": .examID, "sheet": .sheetID, "review": .reviewID, "type": .taskType,
    ]

    /// `GET /api/exams/{exam}/results.csv` is `getExamsExamResultsCsv`.
    private static func identifier(_ method: HTTPRequest.Method, _ path: String) -> String {
        let words = path.split { !$0.isLetter && !$0.isNumber }.filter { $0 != "api" }
        return method.rawValue.lowercased() + words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    private static func tag(of path: String) -> String {
        let parts = path.split(separator: "/")
        return parts.first == "api" && parts.count > 1 ? String(parts[1]) : "process"
    }
}
