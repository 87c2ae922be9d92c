import Access
import AsyncHTTPClient
import Domain
import EventBus
import Foundation
import NIOCore
import NIOHTTP1
import Redis
import ServiceKit
import Testing

@testable import Gateway

@Suite struct EventStreamTests {
    @Test func `events come as they happen, those the filter leaves out do not`() async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            var all = try await gateway.stream("", token: admin)
            var chain = try await gateway.stream("?correlation_id=mine&type=exam.updated", token: admin)
            #expect(try await all.next()?.event == "ready")
            #expect(try await chain.next()?.event == "ready")
            try await gateway.publish(1...3, exam: "a")
            try await gateway.publish(4...4, exam: "b", correlation: "mine")
            var versions: Set<Int> = []
            for _ in 1...4 { versions.insert(try #require(try await all.next()?.version)) }
            #expect(versions == [1, 2, 3, 4])
            #expect(try await chain.next()?.version == 4)
        }
    }

    @Test func `who comes back with the last id gets what was missed, each event once`() async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            let exams = (0..<8).map { ExamID("e\($0)") }
            var stream = try await gateway.stream("", token: admin)
            var last = try #require(try await stream.next()?.id)
            var received: [String] = []
            for round in 0..<5 {
                for exam in exams { try await gateway.publish(round...round, exam: exam) }
                // Takes some of them, goes, and comes back.
                for _ in 0..<5 {
                    let message = try #require(try await stream.next())
                    received.append(try #require(message.eventID))
                    last = try #require(message.id)
                }
                stream = try await gateway.stream("", token: admin, lastEventID: last)
                #expect(try await stream.next()?.event == "ready")
            }
            while received.count < 40 {
                received.append(try #require(try await stream.next()?.eventID))
            }
            let history = try await gateway.send("GET", "/api/events?limit=100", token: admin)
            #expect(Set(received) == Set(history.items.compactMap { $0["id"] as? String }))
            #expect(Set(received).count == 40)
        }
    }

    @Test func `a position whose events are gone is told by a reset, then new events come`() async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            try await gateway.publish(1...1, exam: "a")
            var stream = try await gateway.stream("?exam_id=a", token: admin)
            #expect(try await stream.next()?.event == "ready")
            try await gateway.publish(2...2, exam: "a")
            let seen = try #require(try await stream.next()?.id)
            try await gateway.publish(3...5, exam: "a")
            let key = gateway.context.bus.keys.events(gateway.context.bus.partition(of: ExamID("a")))
            _ = try await gateway.context.client.send(["XTRIM", key, "MAXLEN", 1])

            for lastEventID in [seen, "nonsense", "0:zzzzzzzzz", "7:1"] {
                stream = try await gateway.stream("?exam_id=a", token: admin, lastEventID: lastEventID)
                let first = try #require(try await stream.next())
                #expect(first.event == "reset", "\(lastEventID)")
                #expect(first.id != lastEventID)
            }
            try await gateway.publish(6...6, exam: "a")
            #expect(try await stream.next()?.version == 6)
        }
    }

    @Test func `teachers hear of their own exams`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            #expect(try await gateway.send("GET", "/api/events/stream").status == 403)
            let stranger = try await gateway.token("li", .teacher)
            #expect(try await gateway.send("GET", "/api/events/stream?exam_id=\(exam)", token: stranger).status == 404)
            var stream = try await gateway.stream("?exam_id=\(exam)", token: try await gateway.token())
            #expect(try await stream.next()?.event == "ready")
            _ = try await gateway.send("PATCH", "/api/exams/\(exam)", json: #"{"title":"Final"}"#)
            #expect(try await stream.next()?.version == 2)
        }
    }

    @Test func `a stream ends when the exam is not shared with its user any more, and not before`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            for (user, access) in [("li", "read"), ("wang", "edit")] {
                let shared = try await gateway.send(
                    "PUT", "/api/exams/\(exam)/shares/\(user)", json: #"{"access":"\#(access)"}"#)
                #expect(shared.status == 200)
            }
            var stream = try await gateway.stream(
                "?exam_id=\(exam)", token: try await gateway.token("li", .teacher))
            #expect(try await stream.next()?.event == "ready")
            _ = try await gateway.send("DELETE", "/api/exams/\(exam)/shares/wang")
            #expect(try await stream.next()?.version == 4)
            _ = try await gateway.send("DELETE", "/api/exams/\(exam)/shares/li")
            let last = try #require(try await stream.next())
            #expect(last.event == "end")
            #expect(last.data.contains("access_lost"))
        }
    }

    @Test func `a stream ends when its token expires`() async throws {
        try await RunningGateway.run { gateway in
            let authority = try await TokenAuthority(secret: TokenSecret(RunningGateway.secret))
            // On a busy machine a short-lived token may be over before it is used.
            var opened: EventStreamReader?
            for lifetime in [1, 2, 4, 8, 16] where opened == nil {
                let token = try await authority.token(for: "root", role: .admin, lifetime: lifetime)
                opened = try? await gateway.stream("", token: token)
            }
            var stream = try #require(opened)
            #expect(try await stream.next()?.event == "ready")
            let end = try await stream.next()
            #expect(end?.event == "end")
            #expect(end?.data == #"{"reason":"token_expired"}"#)
            #expect(try await stream.next() == nil)
        }
    }

    @Test func `a stream ends in order when the gateway stops`() async throws {
        let box = Box<EventStreamReader?>(nil)
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            var stream = try await gateway.stream("", token: admin)
            #expect(try await stream.next()?.event == "ready")
            box.value = stream
        }
        var stream = try #require(box.value)
        #expect(try await stream.next()?.data == #"{"reason":"shutdown"}"#)
        #expect(try await stream.next() == nil)
    }

    @Test func `a user has a bounded number of streams, and a closed one makes room`() async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            var streams: [EventStreamReader] = []
            for _ in 0..<6 { streams.append(try await gateway.stream("", token: admin)) }
            let refused = try await gateway.send("GET", "/api/events/stream", token: admin)
            #expect(refused.status == 503)
            #expect(refused.problem == "too-many-streams")
            let other = try await gateway.token("other", .admin)
            streams.append(try await gateway.stream("", token: other))
            streams.removeFirst()
            while true {
                if let stream = try? await gateway.stream("", token: admin) {
                    streams.append(stream)
                    break
                }
                await Task.yield()
            }
            #expect(streams.count == 7)
        }
    }

    @Test(arguments: ["0:0", "3:m1x2c3v4,4:m1x2c3v4-2", "1023:3w5e11264sgsf-3w5e11264sgsf"])
    func `a cursor is read as it was written`(text: String) {
        #expect(StreamCursor(text)?.text == text)
    }

    @Test(arguments: ["", "1", "a:1", "1:", "1:!", "1:1-", "1:1,1:2", "-1:1", "1:1,", "1:3w5e11264sgsg"])
    func `what is no cursor is refused`(text: String) {
        #expect(StreamCursor(text) == nil)
    }
}

/// For a test's closure to give something out.
final class Box<Value>: @unchecked Sendable {
    var value: Value

    init(_ value: Value) {
        self.value = value
    }
}

/// A message of a stream of server-sent events.
struct EventStreamMessage: Equatable {
    var event = "message"
    var id: String?
    var data = ""

    private var json: [String: Any] {
        ((try? JSONSerialization.jsonObject(with: Data(data.utf8))) as? [String: Any]) ?? [:]
    }

    var eventID: String? { json["id"] as? String }
    /// Of an `exam.updated`.
    var version: Int? { (json["data"] as? [String: Any])?["version"] as? Int }
}

/// Reads messages as they come; going away closes the connection.
struct EventStreamReader {
    /// Reads while it exists.
    private final class Feed: Sendable {
        let task: Task<Void, Never>

        init(_ response: HTTPClientResponse, _ parts: AsyncThrowingStream<ByteBuffer, any Error>.Continuation) {
            task = Task {
                do {
                    for try await part in response.body { parts.yield(part) }
                    parts.finish()
                } catch {
                    parts.finish(throwing: error)
                }
            }
        }

        deinit {
            task.cancel()
        }
    }

    private let feed: Feed
    private var parts: AsyncThrowingStream<ByteBuffer, any Error>.AsyncIterator
    private var text = ""

    init(_ response: HTTPClientResponse) {
        let (stream, continuation) = AsyncThrowingStream<ByteBuffer, any Error>.makeStream()
        parts = stream.makeAsyncIterator()
        feed = Feed(response, continuation)
    }

    /// - Returns: nil at the end of the stream. Comments and bare ids are no messages.
    mutating func next() async throws -> EventStreamMessage? {
        while true {
            while let end = text.range(of: "\n\n") {
                var message = EventStreamMessage()
                var isMessage = false
                for line in text[..<end.lowerBound].split(separator: "\n") {
                    let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                    let value = parts.count == 2 ? String(parts[1].drop { $0 == " " }) : ""
                    switch parts[0] {
                    case "event": message.event = value
                    case "id": message.id = value
                    case "data":
                        message.data += value
                        isMessage = true
                    default: break
                    }
                }
                text = String(text[end.upperBound...])
                if isMessage { return message }
            }
            guard let part = try await parts.next(isolation: #isolation) else { return nil }
            text += String(decoding: part.readableBytesView, as: UTF8.self)
        }
    }
}

extension RunningGateway {
    struct Refused: Error {
        let status: UInt
    }

    func stream(_ query: String, token: String, lastEventID: String? = nil) async throws -> EventStreamReader {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/api/events/stream\(query)")
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        if let lastEventID { request.headers.add(name: "Last-Event-ID", value: lastEventID) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        guard response.status == .ok else { throw Refused(status: response.status.code) }
        return EventStreamReader(response)
    }
}
