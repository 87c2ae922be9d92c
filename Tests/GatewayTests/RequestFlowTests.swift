import Testing

@testable import Gateway

@Suite struct RequestFlowTests {
    @Test func `an answer after the whole request leaves the connection open`() {
        var flow = RequestFlow()
        let action1 = flow.receiveHead(asksBefore: false)
        #expect(action1 == .none)
        let action2 = flow.receiveEnd()
        #expect(action2 == .none)
        let isLast3 = flow.sendHead()
        #expect(!isLast3)
        let action4 = flow.sendEnd()
        #expect(action4 == .none)
        #expect(!flow.isAnswered)
    }

    @Test func `an answer in the middle of a request is the last and the rest is thrown away`() {
        var flow = RequestFlow()
        _ = flow.receiveHead(asksBefore: false)
        let isLast1 = flow.sendHead()
        #expect(isLast1)
        let action2 = flow.sendEnd()
        #expect(action2 == .closeSoon)
        #expect(flow.isAnswered)
        let action3 = flow.receiveEnd()
        #expect(action3 == .close)
    }

    @Test func `an answer that begins in the middle and ends after the request closes at once`() {
        var flow = RequestFlow()
        _ = flow.receiveHead(asksBefore: false)
        let isLast1 = flow.sendHead()
        #expect(isLast1)
        let action2 = flow.receiveEnd()
        #expect(action2 == .none)
        let action3 = flow.sendEnd()
        #expect(action3 == .close)
    }

    @Test func `an answer to an earlier request is not the last though the next is coming in`() {
        var flow = RequestFlow()
        _ = flow.receiveHead(asksBefore: false)
        _ = flow.receiveEnd()
        let action1 = flow.receiveHead(asksBefore: true)
        #expect(action1 == .none)
        let isLast2 = flow.sendHead()
        #expect(!isLast2)
        let action3 = flow.sendEnd()
        #expect(action3 == .none)
    }

    @Test func `a client that asks before it sends is told to go on when nothing is under way`() {
        var flow = RequestFlow()
        let action1 = flow.receiveHead(asksBefore: true)
        #expect(action1 == .tellToGoOn)
    }
}
