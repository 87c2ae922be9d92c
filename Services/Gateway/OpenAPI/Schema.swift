import TaskQueue

/// A JSON Schema (2020-12) as OpenAPI 3.1 has them, and the named ones it refers to.
struct Schema: Sendable {
    /// Its keywords; a `$ref` alone for a named one.
    private(set) var keywords: [String: JSONValue]
    /// By name, all that `keywords` refers to directly or through others.
    private(set) var components: [String: JSONValue] = [:]

    init(_ keywords: [String: JSONValue]) {
        self.keywords = keywords
    }

    var json: JSONValue { .object(keywords) }

    // MARK: Values

    static let any = Schema([:])
    static let boolean = Schema(["type": "boolean"])
    static let integer = Schema(["type": "integer"])
    static let number = Schema(["type": "number"])
    static let string = Schema(["type": "string"])
    static let binary = Schema(["type": "string", "format": "binary"])
    static let time = Schema(["type": "string", "format": "date-time"])

    /// - Parameter length: in characters.
    static func string(_ length: ClosedRange<Int>, pattern: String? = nil) -> Schema {
        var keywords: [String: JSONValue] = [
            "type": "string", "minLength": .integer(Int64(length.lowerBound)),
            "maxLength": .integer(Int64(length.upperBound)),
        ]
        keywords["pattern"] = pattern.map { .string($0) }
        return Schema(keywords)
    }

    static func string(pattern: String) -> Schema { Schema(["type": "string", "pattern": .string(pattern)]) }

    static func integer(_ range: ClosedRange<Int>) -> Schema {
        Schema([
            "type": "integer", "minimum": .integer(Int64(range.lowerBound)),
            "maximum": .integer(Int64(range.upperBound)),
        ])
    }

    static func integer(from minimum: Int) -> Schema {
        Schema(["type": "integer", "minimum": .integer(Int64(minimum))])
    }

    static func number(from minimum: Int) -> Schema {
        Schema(["type": "number", "minimum": .integer(Int64(minimum))])
    }

    static func number(_ range: ClosedRange<Double>) -> Schema {
        Schema(["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)])
    }

    static func choice(_ values: some Sequence<String>) -> Schema {
        Schema(["type": "string", "enum": .array(values.map { .string($0) })])
    }

    static func choice<Value: CaseIterable & RawRepresentable<String>>(of type: Value.Type) -> Schema {
        choice(type.allCases.map(\.rawValue))
    }

    // MARK: Combinations

    static func array(of item: Schema, count: ClosedRange<Int>? = nil) -> Schema {
        var schema = Schema(["type": "array", "items": item.json])
        if let count {
            schema.keywords["minItems"] = .integer(Int64(count.lowerBound))
            schema.keywords["maxItems"] = .integer(Int64(count.upperBound))
        }
        schema.components = item.components
        return schema
    }

    /// An object with any names.
    static func map(of value: Schema) -> Schema {
        var schema = Schema(["type": "object", "additionalProperties": value.json])
        schema.components = value.components
        return schema
    }

    /// - Parameter members: a name that ends in `?` may be absent.
    static func object(_ members: KeyValuePairs<String, Schema>) -> Schema {
        var properties: [String: JSONValue] = [:]
        var required: [JSONValue] = []
        var schema = Schema(["type": "object"])
        for (name, member) in members {
            let isOptional = name.hasSuffix("?")
            let name = isOptional ? String(name.dropLast()) : name
            properties[name] = member.json
            if !isOptional { required.append(.string(name)) }
            schema.components.merge(member.components) { first, _ in first }
        }
        schema.keywords["properties"] = .object(properties)
        if !required.isEmpty { schema.keywords["required"] = .array(required) }
        return schema
    }

    /// An object that is described once, among the components, and referred to by its name.
    static func object(_ name: String, _ members: KeyValuePairs<String, Schema>) -> Schema {
        object(members).named(name)
    }

    static func either(_ schemas: Schema...) -> Schema {
        var schema = Schema(["oneOf": .array(schemas.map(\.json))])
        for part in schemas { schema.components.merge(part.components) { first, _ in first } }
        return schema
    }

    /// `{"items":[…],"next_cursor":…}`
    static func list(of item: Schema) -> Schema {
        object([
            "items": array(of: item),
            "next_cursor": string.orNull.with("Give it as cursor to get the next page; null on the last one."),
        ])
    }

    func named(_ name: String) -> Schema {
        var schema = Schema(["$ref": .string("#/components/schemas/\(name)")])
        schema.components = components
        schema.components[name] = json
        return schema
    }

    var orNull: Schema {
        var schema = self
        if case .string(let type) = keywords["type"], keywords["enum"] == nil {
            schema.keywords["type"] = [.string(type), "null"]
        } else {
            schema.keywords = ["anyOf": [json, ["type": "null"]]]
        }
        return schema
    }

    func with(_ description: String) -> Schema {
        var schema = self
        schema.keywords["description"] = .string(description)
        return schema
    }
}
