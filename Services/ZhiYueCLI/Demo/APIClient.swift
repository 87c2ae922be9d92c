internal import AsyncHTTPClient
internal import Domain
internal import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1

/// The REST API as a program sees it that runs against any ZhiYue.
struct APIClient: Sendable {
    /// `http://127.0.0.1:8080`, without a slash at the end.
    let base: String
    var token = ""

    /// How long a call is repeated while the gateway is away; every call here may be repeated.
    var patience: Duration = .seconds(60)

    private static let requestDeadline = TimeAmount.seconds(60)
    private static let maxAnswerBytes = 64 << 20

    mutating func signIn(user: String, password: String) async throws {
        struct Credentials: Encodable {
            let username: String
            let password: String
        }
        struct Answer: Decodable {
            let accessToken: String

            enum CodingKeys: String, CodingKey {
                case accessToken = "access_token"
            }
        }
        let credentials = Credentials(username: user, password: password)
        token = try await send(Answer.self, .POST, "/api/auth/token", json: credentials).accessToken
    }

    func createExam(_ draft: ExamDraft) async throws -> CreatedExam {
        try await send(CreatedExam.self, .POST, "/api/exams", json: draft)
    }

    func layout(of exam: ExamID) async throws -> SheetLayout {
        try await send(SheetLayout.self, .GET, "/api/exams/\(exam)/layout")
    }

    /// Uploads one file; the same bytes again are the same sheets.
    func upload(_ file: UploadFile, to exam: ExamID, correlationID: String) async throws -> UploadAnswer {
        let boundary = "zhiyue-\(UUIDv7.make().compactString)"
        var body = ByteBuffer()
        body.writeString(
            "--\(boundary)\r\nContent-Disposition: form-data; name=\"exam_id\"\r\n\r\n\(exam)\r\n--\(boundary)\r\n"
                + "Content-Disposition: form-data; name=\"file\"; filename=\"\(file.name)\"\r\n"
                + "Content-Type: application/octet-stream\r\n\r\n")
        body.writeBytes(file.bytes)
        body.writeString("\r\n--\(boundary)--\r\n")
        return try await send(
            UploadAnswer.self, .POST, "/api/upload", body: body,
            headers: [
                "Content-Type": "multipart/form-data; boundary=\(boundary)", "X-Correlation-ID": correlationID,
            ])
    }

    func sheets(of exam: ExamID, cursor: String?) async throws -> SheetPageAnswer {
        let suffix = cursor.map { "&cursor=\($0)" } ?? ""
        return try await send(SheetPageAnswer.self, .GET, "/api/exams/\(exam)/sheets?limit=200\(suffix)")
    }

    func sheet(_ id: SheetID) async throws -> SheetAnswer {
        try await send(SheetAnswer.self, .GET, "/api/sheets/\(id)")
    }

    private func send<Answer: Decodable>(
        _ type: Answer.Type, _ method: HTTPMethod, _ path: String, json: some Encodable
    ) async throws -> Answer {
        try await send(
            type, method, path, body: ByteBuffer(bytes: try JSON.encode(json)),
            headers: ["Content-Type": "application/json"])
    }

    private func send<Answer: Decodable>(
        _ type: Answer.Type, _ method: HTTPMethod, _ path: String, body: ByteBuffer? = nil,
        headers: KeyValuePairs<String, String> = [:]
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        // The shared client refuses what unpacks to much more than it was, as lists do.
        request.headers.add(name: "Accept-Encoding", value: "identity")
        if !token.isEmpty { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body { request.body = .bytes(body) }
        let deadline = ContinuousClock.now + patience
        while true {
            do {
                let response = try await HTTPClient.shared.execute(
                    request, deadline: .now() + Self.requestDeadline)
                let bytes = try await response.body.collect(upTo: Self.maxAnswerBytes)
                if (200...299).contains(response.status.code) {
                    return try JSON.decode(type, from: bytes.readableBytesView)
                }
                guard response.status.code >= 500 || response.status.code == 429, ContinuousClock.now < deadline
                else {
                    throw CommandFailure(
                        "\(method.rawValue) \(path) was answered \(response.status.code): \(String(buffer: bytes))")
                }
            } catch let failure as CommandFailure {
                throw failure
            } catch let failure as DecodingError {
                throw CommandFailure("\(method.rawValue) \(path) was answered in an unexpected form: \(failure)")
            } catch  where ContinuousClock.now >= deadline || Task.isCancelled {
                throw CommandFailure("\(base) does not answer (\(error)); is the system running?")
            } catch {
                // The gateway may be starting again; every call here may be repeated.
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}

/// A file to upload.
struct UploadFile: Sendable {
    let name: String
    let bytes: [UInt8]
}

struct CreatedExam: Decodable, Sendable {
    let id: ExamID
}

struct UploadAnswer: Decodable, Sendable {
    struct Item: Decodable, Sendable {
        let id: SheetID
    }

    let sheets: [Item]
    let correlationID: String

    enum CodingKeys: String, CodingKey {
        case sheets
        case correlationID = "correlation_id"
    }
}

struct SheetPageAnswer: Decodable, Sendable {
    struct Item: Decodable, Sendable {
        let id: SheetID
        let status: SheetStatus
        let studentID: String?

        enum CodingKeys: String, CodingKey {
            case id, status
            case studentID = "student_id"
        }
    }

    let items: [Item]
    let nextCursor: String?

    enum CodingKeys: String, CodingKey {
        case items
        case nextCursor = "next_cursor"
    }
}

struct SheetAnswer: Decodable, Sendable {
    struct Recognition: Decodable, Sendable {
        let fields: [String: FieldReading]
    }

    let id: SheetID
    let status: SheetStatus
    let studentID: String?
    let score: Double?
    let recognition: Recognition?
    let marks: [Mark]?
    let error: ReadingFailure?

    enum CodingKeys: String, CodingKey {
        case id, status
        case studentID = "student_id"
        case score, recognition, marks, error
    }
}
