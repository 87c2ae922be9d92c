import Access
import AsyncHTTPClient
import BlobStore
import Configuration
import Domain
import EventBus
import ExamStore
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Redis
import ServiceLifecycle
import TaskQueue
import TestSupport
import Testing

@testable import Gateway
@testable import ServiceKit

/// A gateway on a free port with a Redis and a data directory of its own.
struct RunningGateway: Sendable {
    static let secret = "a secret of the tests, 32 bytes or more"
    /// All tests at once would keep each other, and Redis, from answering in time.
    private static let places = ConcurrencyLimit(8, maxWaiting: .max)
    /// A test with several gateways takes one place: waiting for a second one, tests would wait for each other.
    @TaskLocal private static var hasPlace = false

    let context: ServiceContext
    let port: Int
    let redis: RedisServer
    let gauges: QueueGauges
    let hub: RealtimeHub

    static func run(
        _ setup: GatewayConfiguration = GatewayConfiguration(),
        _ body: (RunningGateway) async throws -> Void
    ) async throws {
        if hasPlace { return try await start(setup, body) }
        try await places.run { try await $hasPlace.withValue(true) { try await start(setup, body) } }
    }

    private static func start(
        _ setup: GatewayConfiguration, _ body: (RunningGateway) async throws -> Void
    ) async throws {
        let redis = try RedisServer()
        defer { redis.stop() }
        let directory = redis.directory.appendingPathComponent("data").path
        let provider = EnvironmentVariablesProvider(
            environmentVariables: ["REDIS_URL": redis.url, "DATA_DIR": directory, "EVENT_PARTITIONS": "4"])
        let reader = SettingsReader(config: ConfigReader(provider: provider))
        let settings = try ServiceSettings(reader: reader)
        let logger = Logger(label: "gateway") { _ in SwiftLogNoOpLogHandler() }
        let client = RedisClient(configuration: settings.redis, logger: logger)
        let context = ServiceContext(
            name: "gateway", settings: settings, reader: reader, logger: logger, client: client,
            bus: EventBus(client: client, keys: settings.keys, configuration: settings.bus, source: "/zhiyue/gateway"),
            queue: TaskQueue(client: client, keys: settings.keys, configuration: settings.queue),
            store: ExamStore(client: client, keys: settings.keys, partitions: settings.bus.partitions),
            blobs: try BlobStore(directory: directory), health: ServiceHealth(service: "gateway", client: client),
            registry: ServiceRegistry(client: client, keys: settings.keys), healthPort: HealthPort())
        var configuration = setup
        configuration.port = 0
        configuration.realtime.drain = .zero
        configuration.token.secret = secret
        configuration.passwordCost = PasswordHash.Cost(rounds: 16, blockSize: 1, parallelism: 1)
        try await context.bus.prepare()
        let (listening, announcement) = AsyncStream<Int>.makeStream()
        let gauges = QueueGauges(queue: context.queue)
        let identity = try await Identity(context, configuration: configuration)
        let hub = Gateway.hub(context, configuration: configuration, identity: identity)
        let application = try await Gateway.application(
            context, configuration: configuration, identity: identity, gauges: gauges, hub: hub
        ) { port in
            announcement.yield(port)
        }
        let feed = RealtimeFeed(hub: hub, watchInterval: .milliseconds(100), watchPatience: .seconds(4))
        let group = ServiceGroup(services: [client, application, feed], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var ports = listening.makeAsyncIterator()
            let port = try #require(await ports.next())
            do {
                while await context.health.problem() != nil { await Task.yield() }
                try await body(RunningGateway(context: context, port: port, redis: redis, gauges: gauges, hub: hub))
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    func token(
        _ user: UserID = "zhang", _ role: Role = .teacher, studentID: String? = nil
    ) async throws -> String {
        try await TokenAuthority(secret: TokenSecret(Self.secret)).token(
            for: user, role: role, lifetime: 600, studentID: studentID)
    }

    struct Answer {
        let status: Int
        let headers: [String: String]
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
        var json: [String: Any] {
            ((try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any]) ?? [:]
        }
        var items: [[String: Any]] { json["items"] as? [[String: Any]] ?? [] }
        /// `code` of a problem document; nil when the answer is none.
        var problem: String? {
            guard headers["content-type"] == "application/problem+json", json["status"] as? Int == status,
                json["title"] is String, json["detail"] is String
            else { return nil }
            return (json["type"] as? String)?.split(separator: ":").last.map { String($0) }
        }
        var pointers: [String] {
            (json["errors"] as? [[String: Any]] ?? []).compactMap { $0["pointer"] as? String }
        }
    }

    /// - Parameter token: empty sends none; nil one of the teacher `zhang`.
    func send(
        _ method: String, _ path: String, _ body: HTTPClientRequest.Body? = nil, token: String? = nil,
        headers: [String: String] = [:], client: HTTPClient = .shared
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = .init(rawValue: method)
        let bearer = if let token { token } else { try await self.token() }
        if !bearer.isEmpty { request.headers.add(name: "Authorization", value: "Bearer \(bearer)") }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if !request.headers.contains(name: "Accept-Encoding") {
            // The shared client refuses what unpacks to much more than it was, as lists do.
            request.headers.add(name: "Accept-Encoding", value: "identity")
        }
        request.body = body
        let response = try await client.execute(request, timeout: .seconds(60))
        let bytes = try await response.body.collect(upTo: 64 << 20)
        let fields = Dictionary(
            response.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
        return Answer(status: Int(response.status.code), headers: fields, body: Array(bytes.readableBytesView))
    }

    func send(
        _ method: String, _ path: String, json: String, token: String? = nil, headers: [String: String] = [:]
    ) async throws -> Answer {
        try await send(
            method, path, .bytes(Array(json.utf8)), token: token,
            headers: headers.merging(["Content-Type": "application/json"]) { first, _ in first })
    }

    static let examJSON = """
        {"title":"期中考试 Midterm","subject":"maths","student_id_digits":6,"questions":[
        {"number":1,"type":"single_choice","options":4,"points":2,"answer":"B"},
        {"number":2,"type":"numeric","digits":4,"points":3,"answer":"3.14","tolerance":0.01},
        {"number":3,"type":"short_text","points":5,"answers":["Beijing","北京"]}]}
        """

    func createExam(token: String? = nil) async throws -> String {
        let answer = try await send("POST", "/api/exams", json: Self.examJSON, token: token)
        #expect(answer.status == 201, "\(answer.text)")
        return try #require(answer.json["id"] as? String)
    }

    func upload(
        _ exam: String?, _ files: [(name: String, content: [UInt8])], token: String? = nil,
        headers: [String: String] = [:]
    ) async throws -> Answer {
        let boundary = "boundary-of-the-tests"
        var body: [UInt8] = []
        if let exam {
            body += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"exam_id\"\r\n\r\n\(exam)\r\n".utf8)
        }
        for file in files {
            body += Array(
                "--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(file.name)\"\r\n\r\n".utf8
            )
            body += file.content + Array("\r\n".utf8)
        }
        body += Array("--\(boundary)--\r\n".utf8)
        return try await send(
            "POST", "/api/upload", .bytes(body), token: token,
            headers: headers.merging(["Content-Type": "multipart/form-data; boundary=\(boundary)"]) { first, _ in first
            })
    }

    /// What a PNG begins with, and then whatever tells one from another: the gateway reads no further than that.
    static func png(_ seed: Int, width: UInt8 = 100, bytes: Int = 100) -> [UInt8] {
        let start: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]
        let header = Array("IHDR".utf8) + [0, 0, 0, width, 0, 0, 0, 100, 8, 0, 0, 0, 0]
        var random = SplitMix(seed: UInt64(seed))
        return start + header + (0..<bytes).map { _ in UInt8.random(in: 0...255, using: &random) }
    }
}
