import WebSocket

/// What the WebSocket side counts, of one event loop or of all.
struct RealtimeStatistics: Sendable {
    /// Now.
    var connections = 0
    /// Now, by connection type.
    var subscriptions = [Int](repeating: 0, count: ConnectionTypeCatalog.all.count)
    /// Connections that take less than they are sent, now.
    var slow = 0
    /// Messages the slowest of them is behind, now.
    var maxBehind = 0

    /// Connections whose events are compressed, now.
    var deflateConnections = 0

    /// Since the start.
    var opened = 0
    var messagesOut = 0
    var bytesOut = 0
    var messagesIn = 0
    /// Messages that have been compressed, each once for all clients of an event loop.
    var deflateMessages = 0
    /// Bytes of events for clients that get them compressed: as they were, and as they were sent.
    var deflateBytesBefore = 0
    var deflateBytesAfter = 0
    /// Superseded progress that was not sent.
    var leftOut = 0
    /// Subscriptions that came back with a cursor, by what became of it.
    var recovered = 0
    var notRecovered = 0
    /// By reason.
    var closed: [String: Int] = [:]
    /// Connections that were not taken, by reason.
    var refused: [String: Int] = [:]
    /// Subscriptions that were not given, or taken away.
    var denied = 0
    var withdrawn = 0
    var pagesRead = 0

    mutating func add(_ other: RealtimeStatistics) {
        connections += other.connections
        for index in subscriptions.indices { subscriptions[index] += other.subscriptions[index] }
        slow += other.slow
        maxBehind = max(maxBehind, other.maxBehind)
        opened += other.opened
        messagesOut += other.messagesOut
        bytesOut += other.bytesOut
        messagesIn += other.messagesIn
        deflateConnections += other.deflateConnections
        deflateMessages += other.deflateMessages
        deflateBytesBefore += other.deflateBytesBefore
        deflateBytesAfter += other.deflateBytesAfter
        leftOut += other.leftOut
        recovered += other.recovered
        notRecovered += other.notRecovered
        closed.merge(other.closed, uniquingKeysWith: +)
        refused.merge(other.refused, uniquingKeysWith: +)
        denied += other.denied
        withdrawn += other.withdrawn
        pagesRead += other.pagesRead
    }

    mutating func close(_ code: WebSocketCloseCode, byPeer: Bool) {
        closed[byPeer && code != .abnormal ? "client" : code.label, default: 0] += 1
    }

    /// In the text format of Prometheus.
    var text: String {
        var lines: [String] = []
        func metric(_ name: String, _ kind: String, _ help: String, _ values: [(labels: String, value: Int)]) {
            lines += ["# HELP \(name) \(help)", "# TYPE \(name) \(kind)"]
            lines += values.map { "\(name)\($0.labels) \($0.value)" }
        }
        func reasons(_ counts: [String: Int]) -> [(labels: String, value: Int)] {
            counts.sorted { $0.key < $1.key }.map { ("{reason=\"\($0.key)\"}", $0.value) }
        }
        metric("websocket_connections", "gauge", "Open connections.", [("", connections)])
        metric(
            "websocket_subscriptions", "gauge", "Subscriptions, by connection type.",
            zip(ConnectionTypeCatalog.all, subscriptions).map { ("{connection_type=\"\($0.name)\"}", $1) })
        metric("websocket_slow_connections", "gauge", "Connections that are behind.", [("", slow)])
        metric("websocket_max_behind", "gauge", "Messages the slowest connection is behind.", [("", maxBehind)])
        metric("websocket_opened_total", "counter", "Connections opened.", [("", opened)])
        metric("websocket_closed_total", "counter", "Connections closed, by reason.", reasons(closed))
        metric("websocket_refused_total", "counter", "Connections not taken, by reason.", reasons(refused))
        metric("websocket_messages_out_total", "counter", "Messages sent.", [("", messagesOut)])
        metric("websocket_bytes_out_total", "counter", "Bytes of messages sent.", [("", bytesOut)])
        metric("websocket_messages_in_total", "counter", "Messages received.", [("", messagesIn)])
        metric(
            "websocket_deflate_connections", "gauge", "Connections whose events are compressed.",
            [("", deflateConnections)])
        metric(
            "websocket_deflate_messages_total", "counter", "Messages compressed, once for many.",
            [("", deflateMessages)])
        metric(
            "websocket_deflate_bytes_total", "counter", "Bytes of events for clients that get them compressed.",
            [("{state=\"before\"}", deflateBytesBefore), ("{state=\"after\"}", deflateBytesAfter)])
        metric("websocket_left_out_total", "counter", "Superseded progress not sent to slow clients.", [("", leftOut)])
        metric(
            "websocket_resumes_total", "counter", "Subscriptions that came back with a cursor.",
            [("{result=\"recovered\"}", recovered), ("{result=\"lost\"}", notRecovered)])
        metric(
            "websocket_subscriptions_ended_total", "counter", "Subscriptions not given, or taken away.",
            [("{reason=\"denied\"}", denied), ("{reason=\"withdrawn\"}", withdrawn)])
        metric("websocket_history_pages_total", "counter", "Pages of history read for clients.", [("", pagesRead)])
        return lines.joined(separator: "\n") + "\n"
    }
}

/// The part of `/api/system/status`.
extension RealtimeStatistics: Encodable {
    enum CodingKeys: String, CodingKey {
        case connections, subscriptions, slow
        case maxBehind = "max_behind"
        case opened
        case messagesOut = "messages_out"
        case bytesOut = "bytes_out"
        case messagesIn = "messages_in"
        case deflateConnections = "deflate_connections"
        case deflateMessages = "deflate_messages"
        case deflateBytesBefore = "deflate_bytes_before"
        case deflateBytesAfter = "deflate_bytes_after"
        case leftOut = "left_out"
        case recovered
        case notRecovered = "not_recovered"
        case closed, refused, denied, withdrawn
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(connections, forKey: .connections)
        let byType = Dictionary(uniqueKeysWithValues: zip(ConnectionTypeCatalog.all.map(\.name), subscriptions))
        try container.encode(byType, forKey: .subscriptions)
        try container.encode(slow, forKey: .slow)
        try container.encode(maxBehind, forKey: .maxBehind)
        try container.encode(opened, forKey: .opened)
        try container.encode(messagesOut, forKey: .messagesOut)
        try container.encode(bytesOut, forKey: .bytesOut)
        try container.encode(messagesIn, forKey: .messagesIn)
        try container.encode(deflateConnections, forKey: .deflateConnections)
        try container.encode(deflateMessages, forKey: .deflateMessages)
        try container.encode(deflateBytesBefore, forKey: .deflateBytesBefore)
        try container.encode(deflateBytesAfter, forKey: .deflateBytesAfter)
        try container.encode(leftOut, forKey: .leftOut)
        try container.encode(recovered, forKey: .recovered)
        try container.encode(notRecovered, forKey: .notRecovered)
        try container.encode(closed, forKey: .closed)
        try container.encode(refused, forKey: .refused)
        try container.encode(denied, forKey: .denied)
        try container.encode(withdrawn, forKey: .withdrawn)
    }
}
