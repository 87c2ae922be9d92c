import Domain
import EventBus
import Foundation
import Redis
import ServiceKit
import TestSupport
import Testing

@testable import Gateway

/// Coming back, falling behind, losing Redis, losing permission.
@Suite struct RealtimeResumeTests {
    @Test(arguments: [8192, 3])
    func `who comes back gets everything that was missed, once and in order, from the ring or from history`(
        ringEvents: Int
    ) async throws {
        var configuration = GatewayConfiguration()
        configuration.realtime.ringEvents = ringEvents
        try await RunningGateway.run(configuration) { gateway in
            let exams = (0..<6).map { "e\($0)" }
            var cursors: [String?] = [nil, nil]
            var received: [[String]] = [[], []]
            var cursor = ""
            var versions: [String: [Int]] = [:]
            for round in 0..<5 {
                let socket = try await gateway.socket()
                let all = try await gateway.subscribe(socket, "all", cursor: cursors[0])
                #expect(all["recovered"] as? Bool == true)
                if round == 0 { cursor = try #require(all["cursor"] as? String) }
                for exam in exams { try await gateway.publish(round...round, exam: ExamID(exam)) }
                // Takes some of them, goes, and comes back.
                for _ in 0..<4 {
                    let message = try await socket.message()
                    received[0].append(try #require(message.eventID))
                    versions[message.exam ?? "", default: []].append(message.version ?? -1)
                    cursor = try #require(message["cursor"] as? String)
                }
                cursors[0] = cursor
                await socket.close()
            }
            let socket = try await gateway.socket()
            try await gateway.subscribe(socket, "all", cursor: cursors[0])
            while received[0].count < 30 {
                let message = try await socket.message()
                received[0].append(try #require(message.eventID))
                versions[message.exam ?? "", default: []].append(message.version ?? -1)
            }
            #expect(Set(received[0]).count == 30)
            for exam in exams { #expect(versions[exam] == [0, 1, 2, 3, 4]) }
            // One exam alone, whose cursor is of one partition.
            try await gateway.subscribe(socket, "one", exams: ["e0"])
            try await gateway.publish(5...5, exam: "e0")
            var one: String?
            for _ in 1...2 {
                let message = try await socket.message()
                if message["id"] as? String == "one" { one = message["cursor"] as? String }
            }
            #expect(one?.contains(",") == false)
            try await gateway.publish(6...9, exam: "e0")
            let again = try await gateway.socket()
            try await gateway.subscribe(again, exams: ["e0"], cursor: one)
            for version in 6...9 { #expect(try await again.message().version == version) }
            #expect((await gateway.hub.statistics().pagesRead > 0) == (ringEvents == 3))
        }
    }

    @Test func `a cursor behind which events are gone is told, and new events come`() async throws {
        var configuration = GatewayConfiguration()
        configuration.realtime.ringEvents = 1
        try await RunningGateway.run(configuration) { gateway in
            let socket = try await gateway.socket()
            try await gateway.subscribe(socket, exams: ["a"])
            try await gateway.publish(1...6, exam: "a")
            let old = try #require(try await socket.message()["cursor"] as? String)
            for _ in 2...6 { _ = try await socket.message() }
            let key = gateway.context.bus.keys.events(gateway.context.bus.partition(of: ExamID("a")))
            _ = try await gateway.context.client.send(["XTRIM", key, "MAXLEN", 1])
            for (index, cursor) in [old, "nonsense", "0:zzzzzzzzz", "99:1"].enumerated() {
                let answer = try await gateway.subscribe(socket, "s\(index)", exams: ["a"], cursor: cursor)
                #expect(answer["recovered"] as? Bool == false, "\(cursor)")
                #expect(answer["cursor"] as? String != cursor)
            }
            try await gateway.publish(7...7, exam: "a")
            for _ in 0...4 { #expect(try await socket.message().version == 7) }
        }
    }

    @Test func `a client that stops reading is held by its place alone and gets it all when it reads again`()
        async throws
    {
        var configuration = GatewayConfiguration()
        configuration.realtime.maxBehind = 100_000
        try await RunningGateway.run(configuration) { gateway in
            let slow = try await gateway.socket()
            let quick = try await gateway.socket()
            try await gateway.subscribe(slow, exams: ["a"])
            try await gateway.subscribe(quick, exams: ["a"])
            try await slow.pauseReading(true)
            let count = try await gateway.publishUntilBlocked(exam: "a")
            for version in 1...count { #expect(try await quick.message().version == version) }
            try await slow.pauseReading(false)
            for version in 1...count { #expect(try await slow.message().version == version) }
        }
    }

    @Test func `a client too far behind is closed with a code that says come back, and comes back`() async throws {
        var configuration = GatewayConfiguration()
        configuration.realtime.maxBehind = 20
        try await RunningGateway.run(configuration) { gateway in
            let socket = try await gateway.socket()
            var cursor = try #require(try await gateway.subscribe(socket, exams: ["a"])["cursor"] as? String)
            try await socket.pauseReading(true)
            var count = try await gateway.publishUntilBlocked(exam: "a")
            try await gateway.publish((count + 1)...(count + 30), exam: "a", bytes: 2000)
            count += 30
            while await gateway.hub.statistics().closed["too_slow"] == nil { await Task.yield() }
            try await socket.pauseReading(false)
            var next = 1
            while case .text(let text) = try await socket.next() {
                let message = try #require(
                    try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
                guard let version = message.version else { continue }
                #expect(version == next)
                next += 1
                cursor = try #require(message["cursor"] as? String)
            }
            let again = try await gateway.socket()
            #expect(try await gateway.subscribe(again, exams: ["a"], cursor: cursor)["recovered"] as? Bool == true)
            while next <= count {
                #expect(try await again.message().version == next)
                next += 1
            }
        }
    }

    @Test func `while Redis is away clients stay, are told, and then get what happened`() async throws {
        try await RunningGateway.run { gateway in
            let socket = try await gateway.socket()
            try await gateway.subscribe(socket, exams: ["a"])
            gateway.redis.kill()
            var status = try await socket.message()
            #expect(status["type"] as? String == "status")
            #expect(status["status"] as? String == "degraded")
            let late = try await gateway.socket("late")
            #expect(try await late.message()["status"] as? String == "degraded")
            try gateway.redis.restart()
            try await gateway.publish(1...2, exam: "a")
            var versions: [Int] = []
            while versions.count < 2 || status["status"] as? String != "ok" {
                let message = try await socket.message()
                if let version = message.version { versions.append(version) } else { status = message }
            }
            #expect(versions == [1, 2])
        }
    }

    @Test func `teachers hear of exams of their own, of no others, and not of all`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let owner = try await gateway.socket("zhang", .teacher)
            let stranger = try await gateway.socket("li", .teacher)
            try await gateway.subscribe(owner, exams: [exam])
            for message in [
                #"{"type":"subscribe","id":"s","connection_type":"general","exam_ids":["\#(exam)"]}"#,
                #"{"type":"subscribe","id":"s","connection_type":"general"}"#,
                #"{"type":"subscribe","id":"s","connection_type":"system","exam_ids":["\#(exam)"]}"#,
                #"{"type":"subscribe","id":"s","connection_type":"general","exam_ids":["nothing"]}"#,
            ] {
                await stranger.send(message)
                #expect(try await stranger.message()["code"] as? String == "forbidden", "\(message)")
            }
            for role in [Role.marker, .student] {
                let socket = try await gateway.socket("wang", role)
                await socket.send(
                    #"{"type":"subscribe","id":"s","connection_type":"progress","exam_ids":["\#(exam)"]}"#)
                #expect(try await socket.message()["code"] as? String == "forbidden")
            }
            _ = try await gateway.send("PATCH", "/api/exams/\(exam)", json: #"{"title":"Final"}"#)
            #expect(try await owner.message().version == 2)
        }
    }

    @Test func `a permission withdrawn while connected ends the subscription at once`() async throws {
        try await RunningGateway.run { gateway in
            let kept = try await gateway.createExam()
            let deleted = try await gateway.createExam()
            let moved = try await gateway.createExam()
            let socket = try await gateway.socket("zhang", .teacher)
            try await gateway.subscribe(socket, "two", exams: [kept, deleted])
            try await gateway.subscribe(socket, "moved", exams: [moved])

            _ = try await gateway.send("DELETE", "/api/exams/\(deleted)")
            let event = try await socket.message()
            #expect((event["event"] as? [String: Any])?["type"] as? String == "exam.deleted")
            let withdrawn = try await socket.message()
            #expect(withdrawn["code"] as? String == "permission_withdrawn")
            #expect(withdrawn["id"] as? String == "two")
            try await gateway.publish(7...7, exam: ExamID(deleted))

            try await gateway.giveAway(moved, to: "li")
            let second = try await socket.message()
            #expect(second["code"] as? String == "permission_withdrawn")
            #expect(second["id"] as? String == "moved")
            try await gateway.publish(8...8, exam: ExamID(moved))

            _ = try await gateway.send("PATCH", "/api/exams/\(kept)", json: #"{"title":"Final"}"#)
            let message = try await socket.message()
            #expect(message["id"] as? String == "two")
            #expect(message.version == 2)
        }
    }

    @Test func `a message to one user is told to nobody else`() async throws {
        try await RunningGateway.run { gateway in
            let li = try await gateway.socket("li")
            let wang = try await gateway.socket("wang")
            try await gateway.subscribe(li)
            try await gateway.subscribe(wang)
            let inbox = InboxMessage(
                id: "m", kind: .reportReady, examID: "a", subject: "r", detail: "", time: .now)
            let context = EventContext(source: "/test", correlationID: "c")
            _ = try await gateway.context.bus.publish(
                EventEnvelope(NotificationCreated(user: "wang", message: inbox), examID: "a", context: context))
            try await gateway.publish(1...1, exam: "a")
            #expect(try await li.message().version == 1)
            #expect(
                (try await wang.message()["event"] as? [String: Any])?["type"] as? String == "notification.created")
        }
    }

    @Test func `a user whose sign-in is withdrawn is disconnected`() async throws {
        try await RunningGateway.run { gateway in
            let li = try await gateway.socket("li")
            let wang = try await gateway.socket("wang")
            let root = try await gateway.token("root", .admin)
            let added = try await gateway.send(
                "POST", "/api/users", json: #"{"id":"li","role":"teacher","password":"long enough"}"#, token: root)
            #expect(added.status == 201)
            #expect(try await gateway.send("DELETE", "/api/users/li/sessions", token: root).status == 204)
            #expect(try await li.closeCode() == 4403)
            await wang.send(#"{"type":"ping"}"#)
            #expect(try await wang.message()["type"] as? String == "pong")
        }
    }
}

extension RunningGateway {
    /// `exam.updated` of so many bytes or more, its versions counted.
    func publish(_ versions: ClosedRange<Int>, exam: ExamID, bytes: Int) async throws {
        for version in versions {
            var event = try EventEnvelope(
                ExamUpdated(examID: exam, version: version, keyVersion: 1, keyChanged: false), examID: exam,
                context: EventContext(source: "/test", correlationID: "c"))
            event.data.removeLast()
            event.data += Array(#","pad":"\#(String(repeating: "x", count: bytes))"}"#.utf8)
            _ = try await context.bus.publish(event)
        }
    }

    /// Publishes until a connection is behind.
    /// - Returns: the last version.
    fileprivate func publishUntilBlocked(exam: ExamID) async throws -> Int {
        var count = 0
        while await hub.statistics().maxBehind == 0 {
            try await publish((count + 1)...(count + 10), exam: exam, bytes: 8000)
            count += 10
        }
        return count
    }

    /// Changes the owner as nobody can yet, and says that the exam has changed.
    fileprivate func giveAway(_ exam: String, to user: UserID) async throws {
        let bus = context.bus
        let key = bus.keys.record(bus.partition(of: ExamID(exam)), "exam:\(exam)")
        let fields = try await context.client.send(["HGETALL", key])
        for field in fields.fields ?? [] {
            guard let text = field.value.string, text.contains("zhang") else { continue }
            let changed = text.replacingOccurrences(of: "zhang", with: user.rawValue)
            _ = try await context.client.send(["HSET", key, field.name, changed])
        }
        try await publish(2...2, exam: ExamID(exam))
    }
}

extension [String: Any] {
    fileprivate var eventID: String? { (self["event"] as? [String: Any])?["id"] as? String }
    fileprivate var exam: String? { (self["event"] as? [String: Any])?["examid"] as? String }
}
