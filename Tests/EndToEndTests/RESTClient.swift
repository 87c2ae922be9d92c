import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1

/// The REST API as a test sees it.
struct RESTClient: Sendable {
    struct Answer: Sendable {
        let status: Int
        let bytes: [UInt8]

        var text: String { String(decoding: bytes, as: UTF8.self) }

        func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
            try JSONDecoder().decode(type, from: Data(bytes))
        }
    }

    struct Upload: Decodable {
        struct Item: Decodable {
            let id: SheetID
            let taskID: TaskID
            let file: String
            let duplicate: Bool?

            enum CodingKeys: String, CodingKey {
                case id
                case taskID = "task_id"
                case file, duplicate
            }
        }

        struct Rejection: Decodable {
            let file: String
            let code: String
        }

        struct Batch: Decodable {
            let id: String
            let file: String
            let pages: Int
        }

        let sheets: [Item]
        let batches: [Batch]?
        let rejected: [Rejection]?
    }

    let url: String
    let token: String

    func send(_ method: HTTPMethod, _ path: String, json: [UInt8]? = nil) async throws -> Answer {
        try await send(method, path, body: json, type: "application/json")
    }

    func upload(_ files: [(name: String, bytes: [UInt8])], to exam: ExamID) async throws -> Answer {
        let boundary = "end-to-end-boundary"
        var body = Array(
            "--\(boundary)\r\nContent-Disposition: form-data; name=\"exam_id\"\r\n\r\n\(exam)\r\n".utf8)
        for file in files {
            body += Array(
                ("--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(file.name)\"\r\n"
                    + "Content-Type: application/octet-stream\r\n\r\n").utf8)
            body += file.bytes + Array("\r\n".utf8)
        }
        body += Array("--\(boundary)--\r\n".utf8)
        return try await send(.POST, "/api/upload", body: body, type: "multipart/form-data; boundary=\(boundary)")
    }

    private func send(_ method: HTTPMethod, _ path: String, body: [UInt8]?, type: String) async throws -> Answer {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        // The shared client refuses what unpacks to much more than it was, as lists do.
        request.headers.add(name: "Accept-Encoding", value: "identity")
        if let body {
            request.headers.add(name: "Content-Type", value: type)
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        let response = try await HTTPClient.shared.execute(request, deadline: .now() + .seconds(60))
        let collected = try await response.body.collect(upTo: 64 << 20)
        return Answer(status: Int(response.status.code), bytes: Array(collected.readableBytesView))
    }
}
