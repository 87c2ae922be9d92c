import Testing

@testable import ZhiYueCLI

@Suite struct SystemStateMachineTests {
    private typealias Event = SystemStateMachine.Event
    private typealias Action = SystemStateMachine.Action

    private func actions(_ events: [Event], hasPrivateRedis: Bool = true) -> [[Action]] {
        var machine = SystemStateMachine(hasPrivateRedis: hasPrivateRedis)
        return events.map { machine.handle($0) }
    }

    @Test("The services start when Redis answers, and the ready line comes when they answer")
    func starts() {
        #expect(actions([.redisReady, .servicesReady]) == [[.startServices], [.announceReady]])
    }

    @Test("A signal stops the gateway, then the services, then Redis")
    func stopsInOrder() {
        let all = actions([
            .redisReady, .servicesReady, .signal, .ended(.gateway), .ended(.services), .ended(.redis),
        ])
        #expect(all.suffix(4) == [[.stop(.gateway)], [.stop(.services)], [.stop(.redis)], [.finish(failure: nil)]])
    }

    @Test("An ephemeral system stops in the same order when its companion is done, and a signal then kills it")
    func stopsWithCompanion() {
        let all = actions([.redisReady, .servicesReady, .companionEnded, .companionEnded, .signal])
        #expect(
            all.suffix(3) == [
                [.stop(.gateway)], [], [.killEverything, .finish(failure: "killed by a second signal")],
            ])
    }

    @Test("A Redis that runs elsewhere is not stopped")
    func leavesForeignRedis() {
        let all = actions(
            [.redisReady, .servicesReady, .signal, .ended(.gateway), .ended(.services)], hasPrivateRedis: false)
        #expect(all.last == [.finish(failure: nil)])
    }

    @Test("A second signal kills everything at once")
    func killsAtSecondSignal() {
        let all = actions([.redisReady, .servicesReady, .signal, .signal])
        #expect(all.last == [.killEverything, .finish(failure: "killed by a second signal")])
    }

    @Test("A signal before the services are started stops Redis alone")
    func stopsEarly() {
        #expect(actions([.signal, .ended(.redis)]) == [[.stop(.redis)], [.finish(failure: nil)]])
    }

    @Test("What fails before the ready line stops what was started and is reported")
    func failsAtStart() {
        let all = actions([.redisReady, .failed("no"), .ended(.gateway), .ended(.services), .ended(.redis)])
        #expect(all.last == [.finish(failure: "no")])
    }

    @Test("A late start deadline and ends of other stages change nothing")
    func ignoresLateEvents() {
        let all = actions([
            .redisReady, .servicesReady, .failed("late"), .ended(.services), .redisReady, .servicesReady,
        ])
        #expect(all.suffix(4).allSatisfy { $0.isEmpty })
    }
}
