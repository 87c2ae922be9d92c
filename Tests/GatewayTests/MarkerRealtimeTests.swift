import Domain
import EventBus
import Foundation
import ServiceKit
import Testing

@testable import Gateway

/// What markers and students hear of, by WebSocket and as server-sent events.
@Suite(.timeLimit(.minutes(5))) struct MarkerRealtimeTests {
    @Test func `a marker hears of the reviews of its questions, and of nothing else of the sheet`() async throws {
        try await RunningGateway.run { gateway in
            let place = try await ExamSite(gateway, student: "123456", isPublished: false)
            let exam = place.exam.rawValue
            let socket = try await gateway.socket("marker", .marker)
            let start = try await gateway.subscribe(socket, type: "grading", exams: [exam])
            var stream = try await gateway.stream("?exam_id=\(exam)", token: try await gateway.token("marker", .marker))
            #expect(try await stream.next()?.event == "ready")
            try await gateway.tellReviews(place, [1, 2], [1])
            for text in [try await socket.text(), try #require(try await stream.next()?.data)] {
                #expect(text.contains("review.requested"))
                #expect(text.contains(#""questions":[2]"#), "\(text)")
                #expect(!text.contains("student_unclear"), "\(text)")
            }
            let second = try await socket.text()
            #expect(second.contains("grading.reviewed"))
            #expect(second.contains(#""question":2"#), "\(second)")
            #expect(!second.contains(#""status""#), "\(second)")

            // Who comes back gets the same, from what is remembered and from history.
            let again = try await gateway.socket("marker", .marker)
            try await gateway.subscribe(
                again, type: "grading", exams: [exam], cursor: try #require(start["cursor"] as? String))
            let first = try await again.text()
            #expect(first.contains(#""questions":[2]"#), "\(first)")
            let other = try await again.text()
            #expect(other.contains("grading.reviewed"))
        }
    }

    @Test func `what is assigned and taken back is heard of, and no longer, at once`() async throws {
        try await RunningGateway.run { gateway in
            let place = try await ExamSite(gateway, student: "123456", isPublished: false)
            let exam = place.exam.rawValue
            let socket = try await gateway.socket("marker", .marker)
            try await gateway.subscribe(socket, type: "grading", exams: [exam])
            var stream = try await gateway.stream("?exam_id=\(exam)", token: try await gateway.token("marker", .marker))
            #expect(try await stream.next()?.event == "ready")
            _ = try await gateway.send("PUT", "/api/exams/\(exam)/markers/marker", json: #"{"questions":[1]}"#)
            try await gateway.tellReviews(place, [1, 2], [])
            #expect(try await socket.text().contains(#""questions":[1]"#))
            #expect(try await stream.next()?.data.contains(#""questions":[1]"#) == true)
            _ = try await gateway.send("DELETE", "/api/exams/\(exam)/markers/marker")
            try await gateway.tellReviews(place, [1, 2], [])
            let withdrawn = try await socket.message()
            #expect(withdrawn["code"] as? String == "permission_withdrawn")
            let end = try #require(try await stream.next())
            #expect(end.event == "end")
            #expect(end.data.contains("access_lost"))
            await socket.send(#"{"type":"subscribe","id":"s","connection_type":"grading","exam_ids":["\#(exam)"]}"#)
            #expect(try await socket.message()["code"] as? String == "forbidden")
            await socket.send(#"{"type":"ping"}"#)
            #expect(try await socket.message()["type"] as? String == "pong")
        }
    }

    @Test func `markers and students may have no more than their part`() async throws {
        try await RunningGateway.run { gateway in
            let place = try await ExamSite(gateway, student: "123456", isPublished: true)
            let exam = place.exam.rawValue
            for (role, rest) in [
                (Role.marker, #""connection_type":"grading""#),
                (.marker, #""connection_type":"grading","exam_ids":["nothing"]"#),
                (.marker, #""connection_type":"grading","exam_ids":["\#(exam)"],"event_types":["grading.completed"]"#),
                (.marker, #""connection_type":"general","event_types":["exam.updated"]"#),
                (.marker, #""connection_type":"progress","exam_ids":["\#(exam)"]"#),
                (.marker, #""connection_type":"quality","exam_ids":["\#(exam)"]"#),
                (.marker, #""connection_type":"system""#),
                (.student, #""connection_type":"grading","exam_ids":["\#(exam)"]"#),
                (.student, #""connection_type":"general","exam_ids":["\#(exam)"]"#),
                (.student, #""connection_type":"progress","exam_ids":["\#(exam)"]"#),
            ] {
                let socket = try await gateway.socket("marker", role)
                await socket.send(#"{"type":"subscribe","id":"s",\#(rest)}"#)
                #expect(try await socket.message()["code"] as? String == "forbidden", "\(role) \(rest)")
            }
            for (role, query) in [
                (Role.marker, "?exam_id=\(exam)&type=grading.completed"), (.marker, "?type=exam.updated"),
                (.student, "?exam_id=\(exam)"), (.student, "?type=grading.reviewed"),
            ] {
                let token = try await gateway.token("marker", role)
                let answer = try await gateway.send("GET", "/api/events/stream\(query)", token: token)
                #expect(answer.status == 403, "\(role) \(query)")
            }
        }
    }

    @Test func `markers and students hear of their own messages`() async throws {
        try await RunningGateway.run { gateway in
            for role in [Role.marker, .student] {
                let socket = try await gateway.socket("wang", role)
                try await gateway.subscribe(socket)
                var stream = try await gateway.stream("", token: try await gateway.token("wang", role))
                #expect(try await stream.next()?.event == "ready")
                try await gateway.publish(1...1, exam: "a")
                for user in ["li", "wang"] {
                    let inbox = InboxMessage(
                        id: "to-\(user)", kind: .reportReady, examID: "a", subject: "r", detail: "", time: .now)
                    _ = try await gateway.context.bus.publish(
                        EventEnvelope(
                            NotificationCreated(user: UserID(user), message: inbox), examID: "a",
                            context: EventContext(source: "/test", correlationID: "c")))
                }
                #expect(try await socket.text().contains("to-wang"))
                #expect(try await stream.next()?.data.contains("to-wang") == true)
            }
        }
    }
}

extension TestSocket {
    /// The event of the next message, as JSON with sorted keys.
    fileprivate func text(sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
        let event = try #require(
            try await message(sourceLocation: sourceLocation)["event"], sourceLocation: sourceLocation)
        return String(
            decoding: try JSONSerialization.data(withJSONObject: event, options: [.sortedKeys]), as: UTF8.self)
    }
}

extension RunningGateway {
    /// Tells of reviews of a sheet that wait, and of some decided: question 2 last.
    fileprivate func tellReviews(_ place: ExamSite, _ requested: [Int], _ decided: [Int]) async throws {
        let context = EventContext(source: "/test", correlationID: "c")
        _ = try await self.context.bus.publish(
            EventEnvelope(
                ReviewRequested(sheetID: place.sheet, questions: requested, flags: [.studentUnclear]),
                examID: place.exam, context: context))
        for question in decided.isEmpty ? [] : decided + [2] {
            _ = try await self.context.bus.publish(
                EventEnvelope(
                    GradingReviewed(
                        sheetID: place.sheet, question: question, oldScore: 1, newScore: 2, by: "zhao",
                        status: .graded), examID: place.exam, context: context))
        }
    }
}
