import ChaosWorkload
import Domain
import Foundation
import NIOCore
import WebSocket

/// A client as the README asks for: keeps the cursor of each subscription, and comes back with it at once, to whichever
/// gateway takes it, when its connection is lost.
///
/// `@unchecked Sendable`: all that changes is used on `eventLoop` alone.
final class ResumingClient: @unchecked Sendable {
    /// `@unchecked Sendable`: as the client.
    final class Subscription: @unchecked Sendable {
        let following: Following
        /// nil until it has been subscribed for the first time.
        var cursor: String?
        /// Of the events received, in their order, over all connections.
        var numbers: [Int] = []
        /// `event` messages since `subscribed`.
        var count = 0
        var isSubscribed = false
        /// Times it could not be told whether it may be had.
        var refusals = 0

        init(_ following: Following) {
            self.following = following
        }
    }

    struct Counts {
        var opened = 0
        /// Attempts to connect that failed.
        var failed = 0
        var resumes = 0
        var notRecovered = 0
        /// Heartbeats that count other than the client does.
        var miscounted = 0
        var unavailable = 0
        /// Codes of other errors, and what could not be understood.
        var faults: [String] = []
        /// By code.
        var closes: [Int: Int] = [:]
        var closedAt: [ContinuousClock.Instant] = []
        var degraded = 0
        var restored = 0
        var heartbeats = 0
        /// From the publishing of an event to its arrival, the longest, in milliseconds.
        var maxDelay: Int64 = 0
    }

    let eventLoop: any EventLoop
    let subscriptions: [Subscription]
    private(set) var counts = Counts()
    /// As the gateway said last on this connection.
    private(set) var isDegraded = false
    private let ports: [Int]
    private let source: String
    private let request: WebSocketClient.Request
    private var random: SplitMix64
    private var socket: WebSocketHandler?
    private var attempt = 0
    private var isStopped = false

    init(
        _ followings: [Following], ports: [Int], token: String, number: Int, seed: UInt64, eventLoop: any EventLoop
    ) {
        subscriptions = followings.map { Subscription($0) }
        self.ports = ports
        self.eventLoop = eventLoop
        // Each address has ports of its own.
        source = "127.0.0.\(10 + number % 8)"
        random = SplitMix64(seed: seed)
        var request = WebSocketClient.Request()
        request.subprotocols.append("bearer.\(token)")
        self.request = request
    }

    var isSubscribed: Bool { socket != nil && subscriptions.allSatisfy(\.isSubscribed) }

    func connect() {
        guard !isStopped else { return }
        attempt += 1
        let own = attempt
        let port = ports.randomElement(using: &random) ?? 0
        WebSocketClient.connect(
            host: "127.0.0.1", port: port, from: source, request, on: eventLoop, timeout: .seconds(10)
        ) { _ in
            WebSocketHandler(role: .client, maxMessageBytes: 1 << 20, session: Session(self, attempt: own))
        }.whenFailure { _ in
            self.counts.failed += 1
            // Again and again, not all at the same time, until it finds one that lives.
            self.eventLoop.scheduleTask(in: .milliseconds(.random(in: 5...100))) { self.connect() }
        }
    }

    func stop() {
        isStopped = true
        socket?.close(.normal)
    }

    // MARK: The connection

    private func opened(_ socket: WebSocketHandler, attempt: Int) {
        guard attempt == self.attempt, !isStopped else { return socket.abort(.normal) }
        self.socket = socket
        counts.opened += 1
        isDegraded = false
        for subscription in subscriptions {
            subscription.isSubscribed = false
            subscribe(subscription)
        }
    }

    private func subscribe(_ subscription: Subscription) {
        socket?.send(.text, ByteBuffer(string: subscription.following.message(cursor: subscription.cursor)))
    }

    private func closed(_ code: WebSocketCloseCode, byPeer: Bool, attempt: Int) {
        guard attempt == self.attempt else { return }
        socket = nil
        if code == .protocolError { counts.faults.append("protocol error, found by the gateway: \(byPeer)") }
        counts.closes[Int(code.rawValue), default: 0] += 1
        counts.closedAt.append(.now)
        connect()
    }

    private static let eventStart = #"{"type":"event","id":""#
    private static let cursorMark = #"","cursor":""#
    private static let numberMark = #""data":{"chaos":"#
    private static let timeMark = #","at":"#

    private func received(_ buffer: ByteBuffer, attempt: Int) {
        guard attempt == self.attempt else { return }
        let text = String(buffer: buffer)
        guard text.hasPrefix(Self.eventStart) else { return receive(other: text) }
        let id = text.dropFirst(Self.eventStart.count).prefix { $0 != "\"" }
        guard let subscription = subscriptions.first(where: { $0.following.id == id }),
            let cursor = Self.text(behind: Self.cursorMark, upTo: "\"", in: text)
        else { return counts.faults.append("no event of a subscription: \(text.prefix(200))") }
        subscription.cursor = cursor
        subscription.count += 1
        // Those that are not of the load, of the exams themselves, are counted all the same.
        guard let number = Self.text(behind: Self.numberMark, upTo: ",", in: text).flatMap({ Int($0) }) else { return }
        subscription.numbers.append(number)
        let published = Self.text(behind: Self.timeMark, upTo: ",", in: text).flatMap { Int64($0) }
        if let published { counts.maxDelay = max(counts.maxDelay, Timestamp.now.milliseconds - published) }
    }

    /// Measures delays anew.
    func forgetDelays() { counts.maxDelay = 0 }

    /// What stands between `mark` and the next `end`. By the C library: there is much of it in a debug build.
    private static func text(behind mark: String, upTo end: Character, in text: String) -> String? {
        text.withCString { start -> String? in
            guard let limit = end.asciiValue, let found = mark.withCString({ strstr(start, $0) }) else { return nil }
            let begin = UnsafePointer(found) + mark.utf8.count
            guard let stop = strchr(begin, Int32(limit)) else { return nil }
            let length = UnsafePointer(stop) - begin
            return begin.withMemoryRebound(to: UInt8.self, capacity: length) {
                String(decoding: UnsafeBufferPointer(start: $0, count: length), as: UTF8.self)
            }
        }
    }

    private func receive(other text: String) {
        guard let message = (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] else {
            return counts.faults.append("no JSON: \(text.prefix(200))")
        }
        let subscription = subscriptions.first { $0.following.id == message["id"] as? String }
        switch message["type"] as? String {
        case "subscribed":
            guard let subscription else { return counts.faults.append("subscribed: \(text)") }
            subscription.isSubscribed = true
            subscription.count = 0
            if subscription.cursor != nil { counts.resumes += 1 }
            if message["recovered"] as? Bool != true {
                counts.notRecovered += 1
                subscription.cursor = nil
            }
            subscription.cursor = subscription.cursor ?? message["cursor"] as? String
        case "heartbeat": heartbeat(message["subscriptions"] as? [String: [String: Any]] ?? [:])
        case "status":
            isDegraded = message["status"] as? String == "degraded"
            if isDegraded { counts.degraded += 1 } else { counts.restored += 1 }
        case "error":
            guard message["code"] as? String == "unavailable", let subscription else {
                return counts.faults.append(text)
            }
            counts.unavailable += 1
            subscription.refusals += 1
            let own = attempt
            eventLoop.scheduleTask(in: .milliseconds(.random(in: 100...300))) {
                if own == self.attempt, !subscription.isSubscribed { self.subscribe(subscription) }
            }
        case "welcome", "task", "pong": break
        default: counts.faults.append(text)
        }
    }

    private func heartbeat(_ parts: [String: [String: Any]]) {
        counts.heartbeats += 1
        for subscription in subscriptions where subscription.isSubscribed {
            guard let part = parts[subscription.following.id], let cursor = part["cursor"] as? String else { continue }
            if part["events"] as? Int != subscription.count { counts.miscounted += 1 }
            if !cursor.isEmpty { subscription.cursor = cursor }
        }
    }

    private final class Session: WebSocketSession {
        let client: ResumingClient
        let attempt: Int

        init(_ client: ResumingClient, attempt: Int) {
            self.client = client
            self.attempt = attempt
        }

        func opened(_ socket: WebSocketHandler) { client.opened(socket, attempt: attempt) }
        func received(text: ByteBuffer) { client.received(text, attempt: attempt) }
        func received(binary: ByteBuffer) { client.counts.faults.append("binary") }
        func closed(_ code: WebSocketCloseCode, byPeer: Bool) { client.closed(code, byPeer: byPeer, attempt: attempt) }
    }
}
