import Access
import Domain
import NIOCore
import TaskQueue
import WebSocket

/// One client's connection: who it is, what it has subscribed to, and whether it keeps up. Used on its event loop.
///
/// A client's messages are handled one after the other; none is read while one waits for Redis or while the client does
/// not take what it is sent.
final class RealtimeConnection: WebSocketSession {
    let id = UUIDv7.make().compactString
    unowned let loop: RealtimeLoop
    private(set) var socket: WebSocketHandler?
    /// nil until the token is checked.
    private(set) var user: RealtimeUser?
    private(set) var subscriptions: [Subscription] = []
    /// The client does not take what it is sent: since when.
    private(set) var blockedSince: NIODeadline?
    var isBlocked: Bool { blockedSince != nil }
    /// Messages that wait for the client.
    var waiting = 0
    /// The latest of tasks that could not be told, by subscription and task.
    private var news: [String: ByteBuffer] = [:]
    private static let maxNews = 100
    /// Frames of this round of writing.
    var chain: WriteChain?
    var isToldDegraded = false
    /// When it has to have said who it is.
    let authenticationDeadline: NIODeadline
    var nextHeartbeat: NIODeadline
    /// By the time the event loop has listened.
    private(set) var lastHeard: TimeAmount
    private var slot: StreamSlots.Slot?
    private var token: String?
    private var inbox: [ClientMessage] = []
    private var isBusy = false
    private var allowance: MessageAllowance

    /// - Parameter token: that came with the handshake.
    init(loop: RealtimeLoop, token: String?) {
        self.loop = loop
        self.token = token
        let now = NIODeadline.now()
        lastHeard = loop.listened
        authenticationDeadline = now + TimeAmount(loop.configuration.authenticationDeadline)
        nextHeartbeat = now + TimeAmount(loop.configuration.heartbeat)
        allowance = MessageAllowance(perSecond: loop.configuration.maxMessagesPerSecond, now: now)
    }

    // MARK: WebSocketSession

    func opened(_ socket: WebSocketHandler) {
        self.socket = socket
        loop.add(self)
        if let token {
            self.token = nil
            inbox.append(.authenticate(token: token))
            work()
        }
    }

    func heard() {
        lastHeard = loop.listened
    }

    func received(text: ByteBuffer) {
        loop.statistics.messagesIn += 1
        guard allowance.take(now: .now()), inbox.count < 64 else {
            return close(.tooManyMessages, "too many messages")
        }
        do throws(ClientMessage.Fault) {
            let message = try ClientMessage(text, maxExams: loop.configuration.maxExams)
            inbox.append(message)
            work()
        } catch {
            send(ServerMessage.error(error))
        }
    }

    func received(binary: ByteBuffer) {
        close(.unsupportedData, "messages are text")
    }

    func writabilityChanged(isWritable: Bool) {
        if isWritable {
            blockedSince = nil
            loop.catchUp(self)
        } else {
            block()
        }
    }

    func closed(_ code: WebSocketCloseCode, byPeer: Bool) {
        for subscription in subscriptions { subscription.hasEnded = true }
        loop.remove(self, code, byPeer: byPeer)
        subscriptions = []
        inbox = []
        news = [:]
        slot = nil
        socket = nil
    }

    // MARK: Writing

    func send(_ frame: ByteBuffer) {
        write(frame)
        flush()
    }

    /// Without flushing.
    func write(_ frame: ByteBuffer) {
        guard let socket else { return }
        socket.write(frame)
        loop.statistics.messagesOut += 1
        loop.statistics.bytesOut += frame.readableBytes
        if !socket.isWritable { block() }
    }

    /// Flushes too. Whoever calls it counts.
    func writeAndFlush(_ frames: ByteBuffer) {
        guard let socket else { return }
        socket.writeAndFlush(frames)
        if !socket.isWritable { block() }
    }

    /// Without flushing.
    func tell(_ item: TaskNews, of subscription: String) {
        let frame = ServerMessage.task(id: subscription, item)
        guard isBlocked else { return write(frame) }
        let key = "\(subscription) \(item.type) \(item.id)"
        if news.count < Self.maxNews || news[key] != nil { news[key] = frame }
    }

    func tellWhatWaits() {
        while !isBlocked, let (key, frame) = news.first {
            news[key] = nil
            write(frame)
        }
    }

    func flush() {
        socket?.flush()
    }

    func ping() {
        socket?.write(RealtimeLoop.ping)
    }

    func close(_ code: WebSocketCloseCode, _ reason: String) {
        for subscription in subscriptions { subscription.hasEnded = true }
        socket?.close(code, reason)
    }

    func abort(_ code: WebSocketCloseCode) {
        socket?.abort(code)
    }

    private func block() {
        if blockedSince == nil { blockedSince = .now() }
    }

    // MARK: The client's messages

    private func work() {
        while !isBusy, !inbox.isEmpty, socket != nil {
            let message = inbox.removeFirst()
            switch message {
            case .authenticate(let token): authenticate(token)
            case _ where user == nil: close(.notAuthenticated, "the first message must be auth")
            case .ping: send(ServerMessage.pong)
            case .unsubscribe(let id): unsubscribe(id)
            case .subscribe(let request): subscribe(request)
            }
        }
    }

    private func done() {
        isBusy = false
        work()
    }

    private func authenticate(_ token: String) {
        isBusy = true
        // Not behind those that wait for Redis.
        loop.performUnbounded { [authenticator = loop.authenticator] in
            do throws(TokenError) {
                return Result<RealtimeUser, TokenError>.success(RealtimeUser(try await authenticator.claims(of: token)))
            } catch {
                return .failure(error)
            }
        } then: { [self] result in
            switch result {
            case .success(let user): admit(user)
            case .failure(let error):
                close(error.code == .expired ? .tokenExpired : .tokenInvalid, error.message)
            }
            done()
        }
    }

    private func admit(_ new: RealtimeUser) {
        guard socket != nil else { return }
        // Revoked since it was looked at: `revoke` did not find the user here yet.
        guard !loop.authenticator.revocations.isRevoked(new.claims) else {
            return close(.accessWithdrawn, "the sign-in was withdrawn")
        }
        if let user {
            // A newer token of the same user keeps the connection alive.
            guard user.id == new.id, user.role == new.role else {
                return close(.tokenInvalid, "the token is another user's")
            }
        } else {
            guard let slot = loop.slots.take(new.id) else {
                return close(.tooManyConnections, "the user has too many connections")
            }
            self.slot = slot
        }
        user = new
        send(
            ServerMessage.welcome(
                connectionID: id, heartbeat: loop.configuration.heartbeat / .seconds(1), expiresAt: new.expiresAt))
        loop.tellStatus(self)
    }

    private func unsubscribe(_ id: String) {
        guard let index = subscriptions.firstIndex(where: { $0.id == id }) else {
            return fail(id, "unknown_id", "There is no subscription of this id.")
        }
        end(subscriptions[index])
        send(ServerMessage.unsubscribed(id: id))
    }

    func end(_ subscription: Subscription) {
        subscription.hasEnded = true
        subscriptions.removeAll { $0 === subscription }
        loop.remove(subscription)
    }

    private func subscribe(_ request: ClientMessage.Subscribe) {
        guard let user else { return }
        guard !subscriptions.contains(where: { $0.id == request.id }) else {
            return fail(request.id, "duplicate_id", "There is a subscription of this id already.")
        }
        guard subscriptions.count < loop.configuration.maxSubscriptions else {
            return fail(
                request.id, "too_many_subscriptions",
                "A connection has at most \(loop.configuration.maxSubscriptions) subscriptions.")
        }
        isBusy = true
        loop.examine(request, for: user) { [self] verdict in
            switch verdict {
            case _ where socket == nil: break
            case .failure(let fault):
                if fault.code == "forbidden" { loop.statistics.denied += 1 }
                send(ServerMessage.error(fault))
            case .success(let start):
                let subscription = Subscription(
                    request, scope: start.scope, user: user.id, connection: self,
                    partitionCount: loop.partitionCount, partition: loop.partition)
                subscriptions.append(subscription)
                loop.begin(subscription, at: start)
            }
            done()
        }
    }

    private func fail(_ id: String, _ code: String, _ message: String) {
        send(ServerMessage.error(ClientMessage.Fault(id: id, code: code, message: message)))
    }
}

/// How many messages a client may send: so many a second on average, three seconds' worth at once.
struct MessageAllowance {
    private let perSecond: Double
    private var left: Double
    private var last: NIODeadline

    init(perSecond: Int, now: NIODeadline) {
        self.perSecond = Double(perSecond)
        left = self.perSecond * 3
        last = now
    }

    mutating func take(now: NIODeadline) -> Bool {
        left = min(perSecond * 3, left + perSecond * Double((now - last).nanoseconds) / 1e9)
        last = now
        guard left >= 1 else { return false }
        left -= 1
        return true
    }
}
