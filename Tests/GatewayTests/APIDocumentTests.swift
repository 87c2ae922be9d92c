import Domain
import Foundation
import TaskQueue
import Testing

@testable import Gateway

/// The description of the addresses. That it is complete the compiler sees to: an address cannot be declared without one.
@Suite struct APIDocumentTests {
    @Test func `every described address answers its method, and the others are refused as it says`() async throws {
        try await RunningGateway.run { gateway in
            let document = try await gateway.send("GET", "/openapi.json", token: "").json
            #expect(document["openapi"] as? String == "3.1.0")
            let paths = try #require(document["paths"] as? [String: [String: Any]])
            #expect(paths.count > 30)
            for (path, item) in paths {
                // A question mark in place of an identifier is nothing that exists.
                let address = path.split(separator: "/").map { $0.hasPrefix("{") ? "nothing" : $0 }.joined(
                    separator: "/")
                let other = try await gateway.send("TRACE", "/\(address)", token: "")
                #expect(other.status == 405, "\(path)")
                let allowed = (other.headers["allow"] ?? "").split(separator: ", ").map { $0.lowercased() }
                #expect(Set(allowed).subtracting(["head"]) == Set(item.keys), "\(path)")
            }
        }
    }

    @Test func `who may ask stands in the description`() async throws {
        try await RunningGateway.run { gateway in
            let paths = try #require(
                try await gateway.send("GET", "/openapi.json", token: "").json["paths"] as? [String: [String: Any]])
            let student = try await gateway.token("wang", .student, studentID: "20260001")
            for (path, item) in paths {
                for (method, value) in item {
                    let operation = try #require(value as? [String: Any])
                    let security = try #require(operation["security"] as? [[String: [String]]], "\(method) \(path)")
                    let address = path.split(separator: "/").map { $0.hasPrefix("{") ? "nothing" : $0 }
                        .joined(separator: "/")
                    guard let roles = security.first?["bearer"] else { continue }
                    let unknown = try await gateway.send(method.uppercased(), "/\(address)", token: "")
                    #expect(unknown.status == 401, "\(method) \(path)")
                    // A stream of events has no end.
                    guard path != "/api/events/stream" else { continue }
                    let answer = try await gateway.send(method.uppercased(), "/\(address)", token: student)
                    #expect((answer.status == 403) == !roles.contains("student"), "\(method) \(path)")
                }
            }
        }
    }

    @Test func `every name that is referred to is there, and every operation has a name of its own`() async throws {
        try await RunningGateway.run { gateway in
            let answer = try await gateway.send("GET", "/openapi.json", token: "")
            let components = try #require(answer.json["components"] as? [String: [String: Any]])
            let names = Set(try #require(components["schemas"]).keys)
            let referred = answer.text.split(separator: "#/components/schemas/").dropFirst()
                .map { String($0.prefix { $0 != "\"" }) }
            #expect(referred.count > names.count)
            #expect(Set(referred) == names)
            let paths = try #require(answer.json["paths"] as? [String: [String: Any]])
            let identifiers = paths.values.flatMap(\.values).compactMap {
                ($0 as? [String: Any])?["operationId"] as? String
            }
            #expect(Set(identifiers).count == identifiers.count)
        }
    }

    @Test func `the page for people has a strict policy and no foreign source`() async throws {
        try await RunningGateway.run { gateway in
            let page = try await gateway.send("GET", "/docs", token: "")
            #expect(page.headers["content-type"] == "text/html; charset=utf-8")
            let policy = try #require(page.headers["content-security-policy"])
            #expect(policy.contains("default-src 'none'"))
            #expect(!policy.contains("unsafe"))
            #expect(!page.text.contains("://"))
            for (address, type) in [("/docs/docs.js", "text/javascript"), ("/docs/docs.css", "text/css")] {
                #expect(page.text.contains(address))
                let part = try await gateway.send("GET", address, token: "")
                #expect(part.headers["content-type"] == "\(type); charset=utf-8")
                #expect(!part.text.contains("://"))
                let tag = try #require(part.headers["etag"])
                let again = try await gateway.send("GET", address, token: "", headers: ["If-None-Match": tag])
                #expect(again.status == 304)
            }
        }
    }

    @Test func `an optional member is not required, and null is a type beside the other`() throws {
        let schema = Schema.object(
            "Thing", ["name": .string(1...3), "size?": .integer.orNull, "part": Schema.examDraft.orNull])
        #expect(schema.json == ["$ref": "#/components/schemas/Thing"])
        #expect(Set(schema.components.keys) == ["Thing", "ExamDraft", "Question", "RubricCriterion"])
        #expect(
            schema.components["Thing"] == [
                "type": "object", "required": ["name", "part"],
                "properties": [
                    "name": ["type": "string", "minLength": .integer(1), "maxLength": .integer(3)],
                    "size": ["type": ["integer", "null"]],
                    "part": ["anyOf": [["$ref": "#/components/schemas/ExamDraft"], ["type": "null"]]],
                ],
            ])
    }
}
