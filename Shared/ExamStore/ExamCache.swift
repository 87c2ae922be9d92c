package import Domain
internal import Synchronization

/// What was made of exams last, kept as long as what it was made of is the same. Bounded by bytes.
package final class ExamCache<Source: Equatable & Sendable, Value: Sendable>: Sendable {
    private struct Entry {
        let source: Source
        let value: Value
        let bytes: Int
    }

    private struct State {
        var entries: [ExamID: Entry] = [:]
        var bytes = 0
    }

    private let maxBytes: Int
    private let size: @Sendable (Source, Value) -> Int
    private let state = Mutex(State())

    /// - Parameter size: bytes that an entry counts.
    package init(maxBytes: Int = 4 << 20, size: @escaping @Sendable (Source, Value) -> Int) {
        self.maxBytes = maxBytes
        self.size = size
    }

    /// - Parameter make: called unless `source` is what it was the last time; of what it throws nothing is kept.
    package func value(_ id: ExamID, of source: Source, make: () throws -> Value) rethrows -> Value {
        if let entry = state.withLock({ $0.entries[id] }), entry.source == source { return entry.value }
        let value = try make()
        let bytes = size(source, value)
        state.withLock { state in
            if let old = state.entries.removeValue(forKey: id) { state.bytes -= old.bytes }
            if state.bytes + bytes > maxBytes { state = State() }
            guard bytes <= maxBytes else { return }
            state.entries[id] = Entry(source: source, value: value, bytes: bytes)
            state.bytes += bytes
        }
        return value
    }
}
