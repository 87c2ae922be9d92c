import Domain
import HTTPTypes
import Hummingbird
import NIOCore

/// A file of an upload, complete on disk.
struct ReceivedFile: Sendable {
    /// The name the sender gave it, for people.
    let name: String
    let file: IncomingFile
    /// nil when the file was too large to be kept.
    let blob: BlobID?
}

/// Takes an upload off the wire: `exam_id` and any number of `file`, in whatever order, streamed to disk and hashed,
/// with every limit enforced while reading.
struct UploadReceiver: Sendable {
    let limits: UploadLimits
    /// Where to put the next file.
    let makePath: @Sendable () -> String

    /// - Parameter admit: called as soon as the exam is known, which is before any file when `exam_id` comes first.
    /// - Throws: `Problem` with 400, 408, 413 or 415; what `admit` throws.
    func receive(
        _ request: Request, admit: (ExamID) async throws -> Void
    ) async throws -> (exam: ExamID, files: [ReceivedFile]) {
        let boundary = try Self.boundary(of: request)
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limits.totalBytes {
            throw Problem.bodyTooLarge(limit: limits.totalBytes)
        }
        var form = UploadForm(receiver: self, parser: MultipartParser(boundary: boundary))
        var total = 0
        let started = ContinuousClock.now
        for try await buffer in request.body {
            total += buffer.readableBytes
            guard total <= limits.totalBytes else { throw Problem.bodyTooLarge(limit: limits.totalBytes) }
            guard isFastEnough(total, after: started.duration(to: .now)) else {
                throw Problem(
                    .requestTimeout, "upload-too-slow",
                    "The upload comes with less than \(limits.minRate) bytes a second. Send it again by a faster way.")
            }
            try await form.feed(buffer, admit: admit)
        }
        return try form.finish()
    }

    private func isFastEnough(_ bytes: Int, after time: Duration) -> Bool {
        time <= limits.slowStart || Double(bytes) >= time / .seconds(1) * Double(limits.minRate)
    }

    private static func boundary(of request: Request) throws(Problem) -> MultipartBoundary {
        guard let type = request.headers[.contentType].flatMap({ HeaderValue($0) }), type.value == "multipart/form-data"
        else {
            throw Problem(
                .unsupportedMediaType, "unsupported-media-type", "The body must be multipart/form-data.")
        }
        guard let boundary = type.parameters["boundary"].flatMap({ MultipartBoundary($0) }) else {
            throw .badRequest("malformed-multipart", "The content type names no valid boundary.")
        }
        return boundary
    }
}

/// The form as far as it was read.
private struct UploadForm {
    private enum Part {
        case none
        case examID(ByteBuffer)
        case file(String, IncomingFile)
    }

    let receiver: UploadReceiver
    var parser: MultipartParser
    private var part = Part.none
    private var exam: ExamID?
    private var files: [ReceivedFile] = []

    init(receiver: UploadReceiver, parser: MultipartParser) {
        self.receiver = receiver
        self.parser = parser
    }

    mutating func feed(_ buffer: ByteBuffer, admit: (ExamID) async throws -> Void) async throws {
        parser.feed(buffer)
        while let event = try nextEvent() {
            switch event {
            case .partBegan(let head): part = try begin(head)
            case .partData(let data): try await take(data)
            case .partEnded: try await end(admit: admit)
            case .ended: break
            }
        }
    }

    func finish() throws -> (exam: ExamID, files: [ReceivedFile]) {
        do throws(MultipartError) {
            try parser.finish()
        } catch {
            throw Self.problem(error)
        }
        guard let exam else {
            throw Problem.badRequest("invalid-upload", "The field exam_id is missing.", at: "/exam_id")
        }
        guard !files.isEmpty else {
            throw Problem.badRequest("invalid-upload", "The upload holds no file.", at: "/file")
        }
        return (exam, files)
    }

    private mutating func nextEvent() throws -> MultipartParser.Event? {
        do throws(MultipartError) {
            return try parser.next()
        } catch {
            throw Self.problem(error)
        }
    }

    private func begin(_ head: MultipartPartHead) throws -> Part {
        switch head.name {
        case "exam_id":
            guard exam == nil else {
                throw Problem.badRequest("invalid-upload", "The field exam_id stands twice.", at: "/exam_id")
            }
            return .examID(ByteBuffer())
        case "file":
            guard files.count < receiver.limits.files else {
                throw Problem(
                    .contentTooLarge, "too-many-files", "An upload may hold \(receiver.limits.files) files.")
            }
            let file = IncomingFile(path: receiver.makePath(), maxBytes: receiver.limits.fileBytes)
            return .file(head.filename ?? "unnamed", file)
        default:
            throw Problem.badRequest(
                "invalid-upload", "The fields of an upload are exam_id and file.", at: "/\(head.name)")
        }
    }

    private mutating func take(_ data: ByteBuffer) async throws {
        switch part {
        case .none: break
        case .examID(var text):
            guard text.readableBytes + data.readableBytes <= 64 else { throw Problem.notFound("exam", "of that name") }
            text.writeImmutableBuffer(data)
            part = .examID(text)
        case .file(_, let file):
            try await file.append(data)
        }
    }

    private mutating func end(admit: (ExamID) async throws -> Void) async throws {
        switch part {
        case .none: break
        case .examID(let text):
            let id = ExamID(String(buffer: text))
            try await admit(id)
            exam = id
        case .file(let name, let file):
            let blob = try await file.finish()
            if file.isTooLarge { file.discard() }
            files.append(ReceivedFile(name: name, file: file, blob: file.isTooLarge ? nil : blob))
        }
        part = .none
    }

    private static func problem(_ error: MultipartError) -> Problem {
        switch error.code {
        case .malformed: .badRequest("malformed-multipart", "The form is malformed: \(error.message).")
        case .tooLarge: Problem(.contentTooLarge, "form-too-large", "The form is out of bounds: \(error.message).")
        }
    }
}
