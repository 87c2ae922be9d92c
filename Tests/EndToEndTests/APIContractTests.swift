import Domain
import Foundation
import NIOHTTP1
import Testing

extension EndToEndTests {
    /// What `/openapi.json` promises, asked for with thousands of made-up requests, good and bad.
    @Test("the description is valid OpenAPI 3.1 and the system answers nothing else than it says")
    func contract() async throws {
        let system = try await RunningSystem()
        let token = try await system.command(["token", "--user", "root", "--role", "admin"])
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let client = RESTClient(url: system.url, token: token)
        let description = try await client.send(.GET, "/openapi.json")
        let file = system.directory.appendingPathComponent("openapi.json")
        try Data(description.bytes).write(to: file)
        let validator = try PythonProgram("openapi_spec_validator", [file.path], in: system.directory)
        #expect(try await validator.end(within: 60) == 0, "\(validator.output)\(validator.errors)")

        // Requests about an exam that is there, with sheets that are marked and reviews that wait, get further than
        // others; and about a user who is there. A path that is left to chance may also name `root`, whom it has read
        // about in answers, and end the sessions of the one who asks.
        let figures = try DemonstrationFigures(
            closingLineOf: try await system.demonstration(sheets: 3, questions: 20, seed: 6))
        let exam = figures.examID
        let reviews = try await client.send(.GET, "/api/reviews?exam_id=\(exam)").decode(Reviews.self)
        let review = try #require(reviews.items.first)
        let sheet = review.sheet
        let teacher = try await client.send(
            .POST, "/api/users",
            json: Array(#"{"id": "teacher", "role": "teacher", "password": "a long enough password"}"#.utf8))
        #expect(teacher.status == 201, "\(teacher.text)")
        let settings = system.directory.appendingPathComponent("schemathesis.toml")
        // Signing out voids the token it is asked with, and with it all that comes after: that is tried with another one.
        let other = try await system.command(["token", "--user", "other", "--role", "admin"])
            .trimmingCharacters(in: .whitespacesAndNewlines)
        try """
        headers = { Authorization = "Bearer \(token)" }

        [parameters]
        "path.exam" = "\(exam)"
        "path.sheet" = "\(sheet)"
        "path.task" = "ocr:\(sheet)"
        "path.review" = "\(review.id)"
        "path.user" = "teacher"
        "query.exam_id" = "\(exam)"

        [[operations]]
        include-name = "POST /api/auth/logout"
        headers = { Authorization = "Bearer \(other)" }

        [[operations]]
        include-name = "DELETE /api/exams/{exam}"
        parameters = { "path.exam" = "nothing" }

        [[operations]]
        include-name = "DELETE /api/users/{user}"
        parameters = { "path.user" = "nobody" }

        """.write(to: settings, atomically: true, encoding: .utf8)
        let contract = try PythonProgram(
            "schemathesis.cli",
            [
                "--config-file", settings.path, "run", "\(system.url)/openapi.json", "--seed", "1", "--max-examples",
                "10", "--max-time", "45",
                "--continue-on-failure", "--no-color", "--request-timeout", "20",
                // A stream of events has no end.
                "--exclude-path", "/api/events/stream",
                // Of a queue that is paused, what waits for its tasks is told that they are late (503).
                "--exclude-path", "/api/queues/{type}/pause",
                // Not all rules can be written as a schema, and an empty parameter is one that is not there.
                "--exclude-checks", "positive_data_acceptance,negative_data_rejection",
            ], in: system.directory)
        #expect(try await contract.end(within: 120) == 0, "\(contract.output.suffix(8000))\(contract.errors)")
        #expect(contract.output.contains(" passed"), "\(contract.output)")
        let summary = contract.output.range(of: "SUMMARY").map { contract.output[$0.lowerBound...] }
        // Sign-ins, and what students alone may do; with a void token it would be nearly all.
        let refused = contract.output.firstMatch(of: /Authentication failed: (\d+) operations/).flatMap { Int($0.1) }
        #expect(refused ?? 0 < 12, "\(contract.output.suffix(2000))")
        print("schemathesis: \(summary ?? "no summary")")
        #expect(try await system.stop() == 0)
    }

    private struct Reviews: Decodable {
        struct Item: Decodable {
            let id: String
            let sheet: SheetID

            enum CodingKeys: String, CodingKey {
                case id
                case sheet = "sheet_id"
            }
        }

        let items: [Item]
    }
}

/// A program that `make deps` has put into `.deps/python`.
private struct PythonProgram {
    private let process: RunningProcess

    init(_ module: String, _ arguments: [String], in directory: URL) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let deps = ProcessInfo.processInfo.environment["ZHIYUE_DEPS"] ?? root.appendingPathComponent(".deps").path
        try #require(
            FileManager.default.fileExists(atPath: "\(deps)/python/PIN"), "\(deps)/python is missing: run make deps")
        process = try RunningProcess(
            "/usr/bin/env", ["python3", "-m", module] + arguments,
            environment: ["PYTHONPATH": "\(deps)/python", "PYTHONDONTWRITEBYTECODE": "1"], directory: directory)
    }

    var output: String { process.output }
    var errors: String { process.errors }

    func end(within seconds: Double) async throws -> Int32 { try await process.end(within: seconds) }
}
