import Domain
import ExamStore
import Foundation
import ServiceKit
import Testing

@testable import Gateway

/// What people mark by the API.
@Suite(.timeLimit(.minutes(5))) struct ReviewRouteTests {
    @Test func `a marker takes a review, sees its question alone, and settles it`() async throws {
        try await RunningGateway.run { gateway in
            let place = try await ExamSite(gateway, student: "123456", isPublished: false, flag: .multiple)
            let marker = try await gateway.token("marker", .marker)
            let taken = try await gateway.send(
                "POST", "/api/reviews/next", json: "{}", token: marker, headers: ["Idempotency-Key": "once"])
            #expect(taken.status == 200, "\(taken.text)")
            #expect(taken.json["id"] as? String == "\(place.sheet).q2")
            #expect(taken.json["question"] as? Int == 2)
            #expect(taken.json["kind"] as? String == "question")
            #expect(taken.json["status"] as? String == "leased")
            #expect(taken.json["reasons"] as? [String] == ["multiple"])
            #expect(!taken.text.contains("123456"))
            let mark = try #require(taken.json["mark"] as? [String: Any])
            #expect(mark["score"] as? Double == 3)
            let lease = try #require(taken.json["lease"] as? [String: Any])
            let fence = try #require(lease["fence"] as? Int)
            let repeated = try await gateway.send(
                "POST", "/api/reviews/next", json: "{}", token: marker, headers: ["Idempotency-Key": "once"])
            #expect(repeated.text == taken.text)
            #expect(try await gateway.send("POST", "/api/reviews/next", json: "{}", token: marker).status == 204)

            // Another sees who has it, not by what.
            let seen = try await gateway.send("GET", "/api/reviews/\(place.sheet).q2")
            #expect((seen.json["lease"] as? [String: Any])?["user"] as? String == "marker")
            #expect((seen.json["lease"] as? [String: Any])?["fence"] == nil)
            let path = "/api/reviews/\(place.sheet).q2/submit"
            let other = try await gateway.send("POST", path, json: #"{"fence":\#(fence),"score":1}"#)
            #expect(other.problem == "lease-lost")

            let body = #"{"fence":\#(fence),"value":"3.149","comment":"a smudge"}"#
            let settled = try await gateway.send("POST", path, json: body, token: marker)
            #expect(settled.status == 200, "\(settled.text)")
            #expect(settled.json["status"] as? String == "settled")
            #expect(try await gateway.send("POST", path, json: body, token: marker).text == settled.text)
            let late = try await gateway.send("POST", path, json: #"{"fence":\#(fence),"score":1}"#, token: marker)
            #expect(late.problem == "review-settled")
            let history = try #require(settled.json["history"] as? [[String: Any]])
            #expect(history.compactMap { $0["by"] as? String } == ["machine", "marker"])
            #expect(history.last?["comment"] as? String == "a smudge")

            let sheet = try await gateway.send("GET", "/api/sheets/\(place.sheet)")
            #expect(sheet.json["status"] as? String == "graded")
            let marks = try #require(sheet.json["marks"] as? [[String: Any]])
            #expect(marks[1]["by"] as? String == "marker")
            #expect(marks[1]["score"] as? Double == 3, "within the tolerance of the key")
            let audit = try await gateway.send(
                "GET", "/api/audit?action=review.settled", token: try await gateway.token("root", .admin))
            #expect(audit.items.count == 1)
        }
    }

    @Test func `what cannot be decided is told field by field`() async throws {
        try await RunningGateway.run { gateway in
            let place = try await ExamSite(gateway, student: "123456", isPublished: false, flag: .multiple)
            let path = "/api/reviews/\(place.sheet).q2/submit"
            for (body, status, pointer) in [
                (#"{"score":1}"#, 400, "/fence"), (#"{"fence":1.5,"score":1}"#, 400, "/fence"),
                (#"{"fence":1}"#, 422, "/score"), (#"{"fence":1,"score":3.01}"#, 422, "/score"),
                (#"{"fence":1,"score":-0.5}"#, 422, "/score"), (#"{"fence":1,"score":1.234}"#, 422, "/score"),
                (#"{"fence":1,"score":1,"value":"3"}"#, 422, "/score"),
                (#"{"fence":1,"score":1,"discard":true}"#, 422, "/discard"),
                (#"{"fence":1,"value":"\#(String(repeating: "9", count: 201))"}"#, 422, "/value"),
            ] {
                let answer = try await gateway.send("POST", path, json: body)
                #expect(answer.status == status, "\(body) \(answer.text)")
                #expect(answer.pointers == [pointer], "\(body) \(answer.text)")
            }
            let list = try await gateway.send("GET", "/api/reviews")
            #expect(list.pointers == ["?exam_id"])
            let assign = "/api/reviews/\(place.sheet).q2/assign"
            let stranger = try await gateway.send("POST", assign, json: #"{"user":"zhao"}"#)
            #expect(stranger.status == 422)
            #expect(stranger.pointers == ["/user"])
            for body in [#"{"questions":[]}"#] {
                #expect(try await gateway.send("POST", "/api/reviews/next", json: body).status == 422)
            }
            for id in ["nothing", "a.b.q1", "\(place.sheet).q0", "\(place.sheet).q01", "\(place.sheet)", ".q1"] {
                #expect(try await gateway.send("GET", "/api/reviews/\(id)").status == 404, "\(id)")
            }
        }
    }

    @Test func `what is assigned comes to that user, and goes back to everybody with the questions`() async throws {
        try await RunningGateway.run { gateway in
            let place = try await ExamSite(gateway, student: "123456", isPublished: false, flag: .multiple)
            let review = "/api/reviews/\(place.sheet).q2"
            let marker = try await gateway.token("marker", .marker)
            let assigned = try await gateway.send("POST", "\(review)/assign", json: #"{"user":"marker"}"#)
            #expect(assigned.json["assignee"] as? String == "marker")
            #expect(try await gateway.send("POST", "/api/reviews/next", json: "{}").status == 204)
            #expect(try await gateway.send("POST", "\(review)/lease").problem == "lease-lost")
            #expect(try await gateway.send("POST", "\(review)/lease", token: marker).status == 200)
            let list = try await gateway.send("GET", "/api/reviews?exam_id=\(place.exam)&status=leased&question=2")
            #expect(list.items.count == 1)

            _ = try await gateway.send("DELETE", "/api/exams/\(place.exam)/markers/marker")
            #expect(try await gateway.send("GET", review, token: marker).status == 404)
            let lease = try await gateway.send("GET", review)
            #expect(lease.json["status"] as? String == "leased")
            let late = try await gateway.send(
                "POST", "\(review)/submit", json: #"{"fence":1,"score":1}"#, token: marker)
            #expect(late.status == 404)
            try await gateway.context.store.takeBackReviews(exam: place.exam) { exam, user, target in
                exam.mayDecide(target, user)
            }
            let free = try await gateway.send("POST", "/api/reviews/next", json: #"{"exam_id":"\#(place.exam)"}"#)
            #expect(free.json["id"] as? String == "\(place.sheet).q2")
            #expect(free.json["assignee"] is NSNull)
        }
    }
}
