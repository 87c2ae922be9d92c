import Testing

@testable import EventBus

@Suite(.timeLimit(.minutes(1))) struct DoorbellTests {
    @Test func aWaitThatIsCancelledWhileItBeginsEndsOnce() async {
        let bell = Doorbell()
        for _ in 0..<200_000 {
            let waiting = Task { await bell.wait() }
            // At any moment of it, also between its steps. A second end would be a crash.
            waiting.cancel()
            await waiting.value
        }
    }

    @Test func aRingBeforeTheWaitEndsIt() async {
        let bell = Doorbell()
        bell.ring()
        await bell.wait()
    }
}
