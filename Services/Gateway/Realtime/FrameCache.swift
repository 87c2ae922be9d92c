import NIOCore

/// The frames of the events that are being handed out. Subscriptions with the same id and kind of cursor share one, those
/// that get an event as it comes and those that catch up. Bounded by number and bytes, twice as many where frames are
/// compressed too. Used on one event loop.
final class FrameCache {
    private struct Key: Hashable {
        let entry: ObjectIdentifier
        let id: String
        let followsOnePartition: Bool
    }

    private struct Frame {
        /// Kept, so that its identity is no other's.
        let entry: RingEntry
        let frame: SharedFrame
    }

    private let capacity = 2048
    private let maxBytes = 4 << 20
    private var frames: [Key: Frame] = [:]
    private var bytes = 0
    private var last: (key: Key, frame: SharedFrame)?

    /// - Parameter cursor: the subscription's own, where that of the entry does not hold for it.
    func frame(_ entry: RingEntry, for subscription: Subscription, _ cursor: StreamCursor?) -> SharedFrame {
        let key = Key(
            entry: ObjectIdentifier(entry), id: subscription.id,
            followsOnePartition: subscription.followsOnePartition)
        let isShared = cursor == nil || subscription.followsOnePartition
        // Most often the next one wants what the last one got. No frame made for a marker is ever kept.
        if isShared, subscription.filter.questions == nil, let last, last.key == key { return last.frame }
        let text = subscription.cursorText(behind: entry, cursor)
        if subscription.filter.questions != nil, let stored = entry.forMarkers?.stored {
            // Each marker's own. Encoding what was decoded cannot fail.
            let json = (try? subscription.filter.json(stored)) ?? Array("null".utf8)
            return SharedFrame(
                ServerMessage.event(id: subscription.id, cursor: text, event: ByteBuffer(bytes: json)))
        }
        guard isShared else {
            return SharedFrame(ServerMessage.event(id: subscription.id, cursor: text, event: entry.json))
        }
        if let known = frames[key] {
            last = (key, known.frame)
            return known.frame
        }
        let frame = SharedFrame(ServerMessage.event(id: subscription.id, cursor: text, event: entry.json))
        if frames.count >= capacity || bytes + frame.bytes.readableBytes > maxBytes {
            frames.removeAll(keepingCapacity: true)
            bytes = 0
        }
        bytes += frame.bytes.readableBytes
        frames[key] = Frame(entry: entry, frame: frame)
        last = (key, frame)
        return frame
    }
}
