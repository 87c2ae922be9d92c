import Coordination
import Domain
import EventBus
import Redis
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct PeriodicEventTests {
    private func check() -> EventEnvelope { event(1, exam: nil, type: "system.health_check") }

    @Test func twoLeadersPublishOneEventPerInterval() async throws {
        try await BusFixture.run { fixture async throws in
            let first = Fence(lock: "l", number: 1)
            #expect(try await fixture.bus.publish(check(), under: first, atMostEvery: .seconds(60)) != nil)
            #expect(try await fixture.bus.publish(check(), under: first, atMostEvery: .seconds(60)) == nil)
            let second = Fence(lock: "l", number: 2)
            #expect(try await fixture.bus.publish(check(), under: second, atMostEvery: .seconds(60)) == nil)
            #expect(try await fixture.bus.history(EventQuery()).events.count == 1)
        }
    }

    @Test func aFormerLeaderPublishesNothing() async throws {
        try await BusFixture.run { fixture async throws in
            let (former, present) = (Fence(lock: "l", number: 1), Fence(lock: "l", number: 2))
            #expect(try await fixture.bus.publish(check(), under: present, atMostEvery: .milliseconds(1)) != nil)
            try await until {
                try await fixture.bus.publish(check(), under: present, atMostEvery: .milliseconds(1)) != nil
            }
            let count = try await fixture.bus.history(EventQuery()).events.count
            #expect(try await fixture.bus.publish(check(), under: former, atMostEvery: .milliseconds(1)) == nil)
            #expect(try await fixture.bus.history(EventQuery()).events.count == count)
            // The lock of something else is none of its business.
            let other = Fence(lock: "other", number: 1)
            try await until {
                try await fixture.bus.publish(check(), under: other, atMostEvery: .milliseconds(1)) != nil
            }
        }
    }
}
