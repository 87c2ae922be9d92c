import Domain
import EventBus
import Redis
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct PublishAndHistoryTests {
    @Test func anExamsEventsShareAPartitionAndKeepTheirOrder() async throws {
        try await BusFixture.run { fixture in
            let events = (0..<300).map { event($0, exam: ExamID("exam-\($0 % 7)")) }
            let positions = try await fixture.bus.publish(events)
            #expect(positions.count == 300)
            for exam in 0..<7 {
                let exam = ExamID("exam-\(exam)")
                let page = try await fixture.bus.history(EventQuery(filter: EventFilter(examID: exam), limit: 1000))
                #expect(page.events.map(\.event) == events.filter { $0.examID == exam })
                #expect(page.events.allSatisfy { $0.partition == fixture.bus.partition(of: exam) })
                #expect(page.next == nil)
            }
        }
    }

    @Test func eventsOfTheSystemAreKeptByTheirType() async throws {
        try await BusFixture.run { fixture in
            let health = event(1, exam: nil, type: "system.health_check")
            let position = try await fixture.bus.publish(health)
            let page = try await fixture.bus.history(EventQuery())
            #expect(
                page.events == [
                    StoredEvent(position: position, partition: fixture.bus.partition(of: health), event: health)
                ])
        }
    }

    @Test func aRepeatedDeduplicationKeyAppendsNothing() async throws {
        try await BusFixture.run { fixture in
            let first = try await fixture.bus.publish(event(1), deduplicationKey: "upload-1")
            let second = try await fixture.bus.publish(event(2), deduplicationKey: "upload-1")
            let third = try await fixture.bus.publish(event(3), deduplicationKey: "upload-2")
            #expect(first == second)
            #expect(first < third)
            #expect(try await fixture.bus.history(EventQuery()).events.map(\.number) == [1, 3])
        }
    }

    @Test func anotherNumberOfPartitionsIsRefused() async throws {
        try await BusFixture.run { fixture in
            try await fixture.bus.prepare()
            let other = EventBus(
                client: fixture.client, keys: fixture.bus.keys,
                configuration: BusFixture.quick { $0.partitions = 16 }, source: "/zhiyue/test")
            let error = await #expect(throws: EventBusError.self) { try await other.prepare() }
            #expect(error?.code == .partitionCountMismatch)
            #expect(error?.message.contains("EVENT_PARTITIONS=8") == true)
        }
    }

    @Test func historyIsFilteredByTypeCorrelationAndTime() async throws {
        try await BusFixture.run { fixture in
            try await fixture.bus.publish([
                event(1, exam: "a", type: "ocr.started", correlation: "x"),
                event(2, exam: "b", type: "ocr.completed", correlation: "x"),
                event(3, exam: "c", type: "ocr.started", correlation: "y"),
            ])
            func numbers(_ query: EventQuery) async throws -> [Int] {
                try await fixture.bus.history(query).events.map(\.number).sorted()
            }
            #expect(try await numbers(EventQuery(filter: EventFilter(types: ["ocr.started"]))) == [1, 3])
            #expect(try await numbers(EventQuery(filter: EventFilter(correlationID: "x"))) == [1, 2])
            let all = try await fixture.bus.history(EventQuery()).events
            let last = try #require(all.map(\.position.milliseconds).max())
            let after = Timestamp(milliseconds: Int64(last) + 1)
            let now = Timestamp(milliseconds: Int64(last))
            #expect(try await numbers(EventQuery(from: after)) == [])
            #expect(try await numbers(EventQuery(to: now)) == [1, 2, 3])
        }
    }

    @Test func pagesPutTogetherAreTheWholeHistoryInOrderOfTime() async throws {
        try await BusFixture.run { fixture in
            for batch in 0..<10 {
                try await fixture.bus.publish((0..<50).map { event(batch * 50 + $0, exam: ExamID("exam-\($0)")) })
            }
            var events: [StoredEvent] = []
            var query = EventQuery(limit: 37)
            repeat {
                let page = try await fixture.bus.history(query)
                events += page.events
                query.cursor = page.next
            } while query.cursor != nil
            #expect(Set(events.map(\.number)) == Set(0..<500))
            #expect(events.count == 500)
            #expect(events.map(\.position) == events.map(\.position).sorted())
        }
    }

    @Test func aTailGivesWhatIsAppendedFromNowOn() async throws {
        try await BusFixture.run { fixture in
            try await fixture.bus.publish(event(1))
            // Everything behind what there is.
            let known = try await fixture.bus.history(EventQuery()).events[0]
            var all = fixture.bus.tail(from: .beginning).makeAsyncIterator()
            var later = fixture.bus.tail(from: .after([known.partition: known.position])).makeAsyncIterator()
            #expect(try await all.next()?.number == 1)
            try await fixture.bus.publish((2..<2000).map { event($0) })
            for number in 2..<2000 {
                #expect(try await later.next()?.number == number)
                #expect(try await all.next()?.number == number)
            }
        }
    }

    @Test func aTailGoesOnWithoutAGapWhenRedisRestarts() async throws {
        try await BusFixture.run { fixture in
            try await fixture.bus.publish(event(1))
            var tail = fixture.bus.tail(from: .beginning, filter: EventFilter(examID: "exam-1")).makeAsyncIterator()
            #expect(try await tail.next()?.number == 1)
            try fixture.server.command("CONFIG SET appendfsync always")
            try await fixture.bus.publish(event(2))
            try fixture.server.restart()
            let third = event(3)
            // The first try may still use a connection whose end has not been noticed.
            try await until { (try? await fixture.bus.publish(third, deduplicationKey: "third")) != nil }
            #expect(try await tail.next()?.number == 2)
            #expect(try await tail.next()?.number == 3)
        }
    }

    @Test func statisticsTellLengthAndLag() async throws {
        try await BusFixture.run { fixture in
            let partition = fixture.bus.partition(of: "exam-1")
            try await fixture.bus.publish((0..<5).map { event($0) })
            let stream = fixture.bus.keys.events(partition)
            _ = try await fixture.client.send(["XGROUP", "CREATE", stream, "graders", "0"])
            _ = try await fixture.client.send(
                ["XREADGROUP", "GROUP", "graders", "owner", "COUNT", 2, "STREAMS", stream, ">"])
            let statistics = try await fixture.bus.statistics()
            #expect(statistics.count == 8)
            #expect(statistics[partition].length == 5)
            let group = try #require(statistics[partition].groups.first)
            #expect(group.group == "graders")
            #expect(group.owner == nil)
            #expect(group.lag == 5)
            #expect((group.oldestPendingSeconds ?? -1) >= 0)
        }
    }

    @Test func trimmingKeepsWhatAGroupNeeds() async throws {
        let configuration = BusFixture.quick { $0.retention = .zero }
        try await BusFixture.run(configuration) { fixture in
            // Nodes of the stream hold 100 entries; whole ones are removed.
            try await fixture.bus.publish((0..<1000).map { event($0) })
            let stream = fixture.bus.keys.events(fixture.bus.partition(of: "exam-1"))
            _ = try await fixture.client.send(["XGROUP", "CREATE", stream, "slow", "0"])
            #expect(try await fixture.bus.trim().removed == 0)
            _ = try await fixture.client.send(
                ["XREADGROUP", "GROUP", "slow", "owner", "COUNT", 500, "STREAMS", stream, ">"])
            #expect(try await fixture.bus.trim().removed == 0)
            let pending = try await fixture.client.send(["XPENDING", stream, "slow", "-", "+", 500])
            let ids = (pending.array ?? []).compactMap { $0.array?.first?.string }
            _ = try await fixture.client.send(RedisCommand("XACK", arguments: [stream, "slow"] + ids))
            #expect((300...500).contains(try await fixture.bus.trim().removed))
            #expect(
                try await fixture.bus.history(EventQuery(limit: 1000)).events.map(\.number).suffix(500)
                    == Array(500..<1000)[...])
        }
    }
}
