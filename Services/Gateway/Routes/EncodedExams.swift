import Domain
import NIOCore
import Synchronization

/// The JSON of exams as it was sent last, for those that are asked for over and over. Bounded by bytes.
final class EncodedExams: Sendable {
    private struct Entry {
        let exam: Exam
        let json: ByteBuffer
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

    /// - Parameter exam: with the questions that are to be shown; a marker's are not all.
    func json(of exam: Exam) throws -> ByteBuffer {
        // Of the same array the store has given before, which then is not compared element by element.
        if let entry = state.withLock({ $0.entries[exam.id] }), entry.exam == exam { return entry.json }
        let json = ByteBuffer(bytes: try JSON.encode(ExamDocument(exam: exam)))
        state.withLock { state in
            if let old = state.entries.removeValue(forKey: exam.id) { state.bytes -= old.json.readableBytes }
            if state.bytes + json.readableBytes > maxBytes { state = State() }
            guard json.readableBytes <= maxBytes else { return }
            state.entries[exam.id] = Entry(exam: exam, json: json)
            state.bytes += json.readableBytes
        }
        return json
    }
}
