internal import Domain
internal import Synchronization

/// Exams as they were decoded last. Redis is asked every time, so nothing here is ever out of date; decoding is what
/// takes long. Bounded by the bytes of the records.
final class DecodedExams: Sendable {
    private struct Entry {
        let record: [UInt8]
        let exam: Exam
    }

    private struct State {
        var entries: [ExamID: Entry] = [:]
        var bytes = 0
    }

    private let maxBytes: Int
    private let state = Mutex(State())

    init(maxBytes: Int = 4 << 20) {
        self.maxBytes = maxBytes
    }

    /// - Parameters:
    ///   - record: what Redis has.
    ///   - decode: called unless `record` is what it was the last time.
    func exam(_ id: ExamID, _ record: [UInt8], decode: () throws -> Exam) rethrows -> Exam {
        if let entry = state.withLock({ $0.entries[id] }), entry.record == record { return entry.exam }
        let exam = try decode()
        state.withLock { state in
            if let old = state.entries.removeValue(forKey: id) { state.bytes -= old.record.count }
            if state.bytes + record.count > maxBytes { state = State() }
            guard record.count <= maxBytes else { return }
            state.entries[id] = Entry(record: record, exam: exam)
            state.bytes += record.count
        }
        return exam
    }
}
