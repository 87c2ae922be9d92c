import Domain
import NIOCore
import TaskQueue
import WebSocket

/// What the server sends, as frames ready to be written.
enum ServerMessage {
    /// - Parameter heartbeat: seconds.
    static func welcome(connectionID: String, heartbeat: Double, expiresAt: Timestamp) -> ByteBuffer {
        WebSocketFrame.text(
            """
            {"type":"welcome","connection_id":"\(connectionID)","heartbeat_interval":\(heartbeat),\
            "token_expires_at":"\(expiresAt.rfc3339)"}
            """)
    }

    static func subscribed(id: String, cursor: String, recovered: Bool) -> ByteBuffer {
        WebSocketFrame.text(#"{"type":"subscribed","id":"\#(id)","cursor":"\#(cursor)","recovered":\#(recovered)}"#)
    }

    static func unsubscribed(id: String) -> ByteBuffer {
        WebSocketFrame.text(#"{"type":"unsubscribed","id":"\#(id)"}"#)
    }

    /// - Parameter event: CloudEvents JSON.
    static func event(id: String, cursor: String, event: ByteBuffer) -> ByteBuffer {
        var payload = ByteBuffer()
        payload.reserveCapacity(event.readableBytes + id.utf8.count + cursor.utf8.count + 50)
        payload.writeStaticString(#"{"type":"event","id":""#)
        payload.writeString(id)
        payload.writeStaticString(#"","cursor":""#)
        payload.writeString(cursor)
        payload.writeStaticString(#"","event":"#)
        payload.writeImmutableBuffer(event)
        payload.writeStaticString("}")
        return WebSocketFrame.encode(.text, payload)
    }

    /// Of every subscription: everything up to the cursor that concerns it has been sent, in so many `event` messages
    /// since `subscribed`. A client that has counted otherwise has lost one, and comes back with its own last cursor.
    static func heartbeat(_ subscriptions: [(id: String, cursor: String, sent: UInt64)]) -> ByteBuffer {
        let parts = subscriptions.map { #""\#($0.id)":{"cursor":"\#($0.cursor)","events":\#($0.sent)}"# }
        return WebSocketFrame.text(
            #"{"type":"heartbeat","subscriptions":{\#(parts.joined(separator: ","))}}"#)
    }

    /// How far a task is. No event: it has no cursor and is not counted.
    static func task(id: String, _ news: TaskNews) -> ByteBuffer {
        struct Document: Encodable {
            let type = "task"
            let id: String
            let task: TaskNews
        }
        // Strings and numbers of 0 to 1 alone: encoding them cannot fail.
        return WebSocketFrame.encode(.text, ByteBuffer(bytes: (try? JSON.encode(Document(id: id, task: news))) ?? []))
    }

    static func error(_ fault: ClientMessage.Fault) -> ByteBuffer {
        struct Document: Encodable {
            let type = "error"
            let id: String?
            let code: String
            let message: String
        }
        // Strings alone: encoding them cannot fail.
        let text = (try? JSON.encode(Document(id: fault.id, code: fault.code, message: fault.message))) ?? []
        return WebSocketFrame.encode(.text, ByteBuffer(bytes: text))
    }

    static let pong = WebSocketFrame.text(#"{"type":"pong"}"#)
    /// Redis is away: nothing new can be told.
    static let degraded = WebSocketFrame.text(#"{"type":"status","status":"degraded"}"#)
    /// Redis is back; what happened meanwhile follows.
    static let ok = WebSocketFrame.text(#"{"type":"status","status":"ok"}"#)
}
