import Access
import Domain
import EventBus
import Hummingbird
import NIOCore
import ServiceLifecycle
import Synchronization

/// Writes events as they happen to one client, in the format of server-sent events, until the client goes, its token
/// expires or is revoked, the exam is not shared with its user any more, or the gateway stops.
///
/// Every event has the cursor behind it as its `id`. A client that takes nothing for `patience` is cut off: it comes
/// back with its cursor and gets what it missed.
struct EventStreamWriter: Sendable {
    let bus: EventBus
    let filter: EventFilter
    let start: StreamCursor
    /// What is said first: `ready`, or `reset` when the client's own cursor is of no use any more.
    let greeting: String
    let bearer: AccessClaims
    let revocations: RevocationList
    /// What of the events the bearer sees.
    let audience: EventAudience
    /// The same anew, nil when it is nothing any more: asked when the exam they are of was changed.
    let look: @Sendable (EventAudience) async -> EventAudience?
    let channel: any Channel
    var keepAlive: Duration = .seconds(15)
    var patience: Duration = .seconds(30)

    @concurrent
    func write(to writer: inout any ResponseBodyWriter) async throws {
        let mailbox = EventMailbox(capacity: 128)
        let writing = WritingSince()
        let observation = revocations.onRevoke { [revocations, bearer] user, _ in
            if user == bearer.user, revocations.isRevoked(bearer) { mailbox.end(.tokenRevoked) }
        }
        defer { observation.cancel() }
        if revocations.isRevoked(bearer) { mailbox.end(.tokenRevoked) }
        channel.closeFuture.whenComplete { _ in mailbox.end(.disconnected) }
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                defer { tasks.cancelAll() }
                tasks.addTask { await feed(mailbox) }
                tasks.addTask { await remind(mailbox, writing) }
                tasks.addTask {
                    let left = bearer.expiresAt.milliseconds - Timestamp.now.milliseconds
                    try? await Task.sleep(for: .milliseconds(max(0, left)))
                    if !Task.isCancelled { mailbox.end(.tokenExpired) }
                }
                try await deliver(mailbox, writing, to: &writer)
            }
        } onGracefulShutdown: {
            mailbox.end(.shutdown)
        }
    }

    /// All events of the exam, or of all exams: those the client does not want move the cursor as well.
    private func feed(_ mailbox: EventMailbox) async {
        do {
            let all = EventFilter(examID: filter.examID)
            for try await stored in bus.tail(from: .after(start.positions), filter: all) {
                await mailbox.push(stored)
            }
        } catch {
            mailbox.end(.failed)
        }
        if !Task.isCancelled { mailbox.end(.failed) }
    }

    private func remind(_ mailbox: EventMailbox, _ writing: WritingSince) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: keepAlive)
            if let start = writing.start, ContinuousClock.now - start > patience {
                channel.close(promise: nil)
                return
            }
            mailbox.remind()
        }
    }

    @concurrent
    private func deliver(
        _ mailbox: EventMailbox, _ writing: WritingSince, to writer: inout any ResponseBodyWriter
    ) async throws {
        var audience = audience
        var cursor = start
        var told = start
        var buffer = ByteBuffer(string: "retry: 2000\nevent: \(greeting)\nid: \(cursor.text)\ndata: {}\n\n")
        while true {
            if buffer.readableBytes > 0 {
                writing.start = .now
                try await writer.write(buffer)
                writing.start = nil
            }
            buffer = ByteBuffer()
            switch await mailbox.next() {
            case .events(let events):
                for stored in events {
                    if stored.event.type == ExamUpdated.type {
                        guard let now = await look(audience) else {
                            mailbox.end(.accessLost)
                            break
                        }
                        audience = now
                    }
                    cursor.advance(to: stored)
                    guard filter.matches(stored.event), let json = try audience.json(stored) else { continue }
                    Self.append(json, cursor, to: &buffer)
                    told = cursor
                }
            case .keepAlive:
                buffer.writeString(": \n")
                if cursor != told { buffer.writeString("id: \(cursor.text)\n") }
                buffer.writeString("\n")
                told = cursor
            case .end(.disconnected):
                throw CancellationError()
            case .end(let ending):
                try await writer.write(
                    ByteBuffer(string: "event: end\nid: \(cursor.text)\ndata: {\"reason\":\"\(ending.rawValue)\"}\n\n"))
                try await writer.finish(nil)
                return
            }
        }
    }

    private static func append(_ json: [UInt8], _ cursor: StreamCursor, to buffer: inout ByteBuffer) {
        buffer.writeString("id: \(cursor.text)\ndata: ")
        // A line break in JSON can only stand between its parts.
        buffer.writeBytes(
            json.lazy.map { byte in
                byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") ? UInt8(ascii: " ") : byte
            })
        buffer.writeString("\n\n")
    }
}

/// When the write under way began.
private final class WritingSince: Sendable {
    private let instant = Mutex<ContinuousClock.Instant?>(nil)

    var start: ContinuousClock.Instant? {
        get { instant.withLock { $0 } }
        set { instant.withLock { $0 = newValue } }
    }
}
