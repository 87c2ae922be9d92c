import Testing

@testable import Gateway

@Suite struct RequestFlowTests {
    @Test func `an answer after the whole request leaves the connection open`() {
        var flow = RequestFlow()
        #expect(flow.receiveHead(asksBefore: false) == .none)
        #expect(flow.receiveEnd() == .none)
        #expect(!flow.sendHead())
        #expect(flow.sendEnd() == .none)
        #expect(!flow.isAnswered)
    }

    @Test func `an answer in the middle of a request is the last and the rest is thrown away`() {
        var flow = RequestFlow()
        _ = flow.receiveHead(asksBefore: false)
        #expect(flow.sendHead())
        #expect(flow.sendEnd() == .closeSoon)
        #expect(flow.isAnswered)
        #expect(flow.receiveEnd() == .close)
    }

    @Test func `an answer that begins in the middle and ends after the request closes at once`() {
        var flow = RequestFlow()
        _ = flow.receiveHead(asksBefore: false)
        #expect(flow.sendHead())
        #expect(flow.receiveEnd() == .none)
        #expect(flow.sendEnd() == .close)
    }

    @Test func `an answer to an earlier request is not the last though the next is coming in`() {
        var flow = RequestFlow()
        _ = flow.receiveHead(asksBefore: false)
        _ = flow.receiveEnd()
        #expect(flow.receiveHead(asksBefore: true) == .none)
        #expect(!flow.sendHead())
        #expect(flow.sendEnd() == .none)
    }

    @Test func `a client that asks before it sends is told to go on when nothing is under way`() {
        var flow = RequestFlow()
        #expect(flow.receiveHead(asksBefore: true) == .tellToGoOn)
    }
}
