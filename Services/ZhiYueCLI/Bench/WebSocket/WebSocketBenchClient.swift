internal import FoundationEssentials
internal import NIOCore
internal import WebSocket

/// A connection of the bench: subscribes when it is open, and looks at what comes as little as it can, for it shares the
/// machine with what is measured.
final class WebSocketBenchClient: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let eventType = Array(#"{"type":"e"#.utf8)
    private static let subscribedType = Array(#"{"type":"s"#.utf8)
    private static let mark = WebSocketBenchEvents.mark
    private static let cursorMark = Array(#""cursor":""#.utf8)

    let exam: Int
    private let counters: WebSocketBenchCounters
    private let measuresLatency: Bool
    /// Behind the last event received; survives the connection.
    private(set) var cursor: String?
    private let keepsCursor: Bool
    private var rest = ByteBuffer()
    private var lastDue: UInt64 = 0
    private(set) var context: ChannelHandlerContext?

    init(exam: Int, counters: WebSocketBenchCounters, measuresLatency: Bool, keepsCursor: Bool) {
        self.exam = exam
        self.counters = counters
        self.measuresLatency = measuresLatency
        self.keepsCursor = keepsCursor
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        rest = ByteBuffer()
        counters.opened += 1
        let from = cursor.map { #","cursor":"\#($0)""# } ?? ""
        let message =
            #"{"type":"subscribe","id":"s","connection_type":"progress","exam_ids":["bench-\#(exam)"]\#(from)}"#
        context.writeAndFlush(
            wrapOutboundOut(WebSocketFrame.masked(.text, ByteBuffer(string: message))), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        counters.closed += 1
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        counters.bytes += buffer.readableBytes
        if rest.readableBytes > 0 {
            rest.writeImmutableBuffer(buffer)
            buffer = rest
            rest = ByteBuffer()
        }
        let now = measuresLatency ? EventsBenchEvents.now() : 0
        let taken = buffer.withUnsafeReadableBytes { bytes in take(bytes, now, context) }
        buffer.moveReaderIndex(forwardBy: taken)
        if buffer.readableBytes > 0 {
            rest.clear()
            rest.writeImmutableBuffer(buffer)
        }
    }

    /// - Returns: the bytes of the complete frames.
    private func take(_ bytes: UnsafeRawBufferPointer, _ now: UInt64, _ context: ChannelHandlerContext) -> Int {
        var index = 0
        while index + 2 <= bytes.count {
            var length = Int(bytes[index + 1])
            var start = index + 2
            if length == 126 {
                guard index + 4 <= bytes.count else { break }
                length = Int(bytes[index + 2]) << 8 | Int(bytes[index + 3])
                start = index + 4
            } else if length == 127 {
                guard index + 10 <= bytes.count else { break }
                length = (2..<10).reduce(0) { $0 << 8 | Int(bytes[index + $1]) }
                start = index + 10
            }
            guard start + length <= bytes.count else { break }
            receive(
                bytes[index] & 0x0F, UnsafeRawBufferPointer(rebasing: bytes[start..<(start + length)]), now, context)
            index = start + length
        }
        return index
    }

    private func receive(
        _ opcode: UInt8, _ payload: UnsafeRawBufferPointer, _ now: UInt64, _ context: ChannelHandlerContext
    ) {
        if opcode == WebSocketOpcode.ping.rawValue {
            context.writeAndFlush(wrapOutboundOut(WebSocketFrame.masked(.pong, ByteBuffer())), promise: nil)
        } else if payload.starts(with: Self.eventType) {
            counters.events += 1
            if measuresLatency, let due = Self.number(behind: Self.mark, in: payload) {
                counters.record(nanoseconds: now &- min(now, due))
                if due < lastDue { counters.outOfOrder += 1 }
                lastDue = due
            }
            if keepsCursor { cursor = Self.text(behind: Self.cursorMark, in: payload) }
        } else if payload.starts(with: Self.subscribedType) {
            counters.subscribed += 1
            if keepsCursor, cursor == nil { cursor = Self.text(behind: Self.cursorMark, in: payload) }
            if String(decoding: payload, as: UTF8.self).contains(#""recovered":false"#) { counters.notRecovered += 1 }
        } else if opcode == WebSocketOpcode.close.rawValue {
            context.close(promise: nil)
        }
    }

    private static func position(behind mark: [UInt8], in payload: UnsafeRawBufferPointer) -> Int? {
        var index = 0
        while index + mark.count <= payload.count {
            if payload[index] == mark[0], payload[index..<(index + mark.count)].elementsEqual(mark) {
                return index + mark.count
            }
            index += 1
        }
        return nil
    }

    private static func number(behind mark: [UInt8], in payload: UnsafeRawBufferPointer) -> UInt64? {
        guard let start = position(behind: mark, in: payload) else { return nil }
        var value: UInt64 = 0
        for byte in payload[start...] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { break }
            value = value &* 10 &+ UInt64(byte - UInt8(ascii: "0"))
        }
        return value
    }

    private static func text(behind mark: [UInt8], in payload: UnsafeRawBufferPointer) -> String? {
        guard let start = position(behind: mark, in: payload) else { return nil }
        return String(decoding: payload[start...].prefix { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
    }
}
