import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Manners of a connection that the server's request loop leaves out.
///
/// A client that asks before it sends (`Expect: 100-continue`) is told to go on, unless its body is announced to be too
/// large. A client that is answered while it still sends (too large, not signed in) is told that the connection ends;
/// what it sends for a little while is thrown away, so that it can read the answer instead of a reset, and then the
/// connection is closed, so that it cannot send for ever.
final class RequestFlowHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private static let patience: TimeAmount = .seconds(3)
    private static let patienceBytes = 8 << 20

    private let maxBodyBytes: Int
    private var flow = RequestFlow()
    private var bytesThrownAway = 0

    init(maxBodyBytes: Int) {
        self.maxBodyBytes = maxBodyBytes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            if flow.receiveHead(asksBefore: asksBefore(head)) == .tellToGoOn {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
        case .body(let buffer):
            if flow.isAnswered {
                bytesThrownAway += buffer.readableBytes
                if bytesThrownAway > Self.patienceBytes { context.close(promise: nil) }
                return
            }
        case .end:
            if flow.receiveEnd() == .close {
                context.close(promise: nil)
                return
            }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            if flow.sendHead() { head.headerFields[.connection] = "close" }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            context.write(data, promise: promise)
            switch flow.sendEnd() {
            case .none: break
            case .close:
                context.flush()
                context.close(promise: nil)
            case .closeSoon:
                context.flush()
                let channel = context.channel
                context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
            }
        }
    }

    private func asksBefore(_ head: HTTPRequest) -> Bool {
        guard head.headerFields[.expect]?.lowercased() == "100-continue" else { return false }
        let length = head.headerFields[.contentLength].flatMap { Int($0) } ?? 0
        return length <= maxBodyBytes
    }
}

/// Which side of a connection is in the middle of what.
struct RequestFlow: Equatable {
    enum ReadAction {
        case none, tellToGoOn, close
    }

    enum WriteAction {
        case none
        case close
        /// The client still sends; give it time to notice.
        case closeSoon
    }

    private var isReceiving = false
    /// Requests whose answers are not complete.
    private var open = 0
    private var isLastAnswer = false
    /// The last answer was sent while its request was still coming in.
    private(set) var isAnswered = false

    mutating func receiveHead(asksBefore: Bool) -> ReadAction {
        isReceiving = true
        open += 1
        // With an answer to an earlier request under way, ours would end up in the middle of it.
        return asksBefore && open == 1 ? .tellToGoOn : .none
    }

    mutating func receiveEnd() -> ReadAction {
        isReceiving = false
        return isAnswered ? .close : .none
    }

    /// - Returns: true when the answer has to say that the connection ends with it.
    mutating func sendHead() -> Bool {
        if isReceiving && open == 1 { isLastAnswer = true }
        return isLastAnswer
    }

    mutating func sendEnd() -> WriteAction {
        open -= 1
        guard isLastAnswer else { return .none }
        guard isReceiving else { return .close }
        isAnswered = true
        return .closeSoon
    }
}
