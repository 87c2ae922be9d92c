import Domain
import Hummingbird

/// Why a request was not served, as the client gets to see it: a problem document (RFC 9457).
struct Problem: Error, Sendable {
    let status: HTTPResponse.Status
    /// Names the kind of problem for programs; part of `type`.
    let code: String
    /// What is wrong in this case and what to do, for people.
    let detail: String
    /// What is wrong where in the request.
    var errors: [FieldProblem] = []
    /// The files of an upload that were not taken.
    var rejected: [RejectedFile]?
    var headers: HTTPFields = [:]

    init(
        _ status: HTTPResponse.Status, _ code: String, _ detail: String, errors: [FieldProblem] = [],
        headers: HTTPFields = [:]
    ) {
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers
    }

    var type: String { "urn:zhiyue:problem:\(code)" }

    func response(requestID: String) -> Response {
        var headers = headers
        headers[.contentType] = "application/problem+json"
        let body = ByteBuffer(bytes: document(requestID: requestID))
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
    }

    /// The problem document, JSON.
    func document(requestID: String) -> [UInt8] {
        struct Document: Encodable {
            var type: String
            var title: String
            var status: Int
            var detail: String
            var errors: [FieldProblem]?
            var rejected: [RejectedFile]?
            var requestID: String

            enum CodingKeys: String, CodingKey {
                case type, title, status, detail, errors, rejected
                case requestID = "request_id"
            }
        }
        let document = Document(
            type: type, title: status.reasonPhrase, status: status.code, detail: detail,
            errors: errors.isEmpty ? nil : errors, rejected: rejected, requestID: requestID)
        // Strings and numbers alone: encoding them cannot fail.
        return (try? JSON.encode(document)) ?? []
    }
}

extension Problem {
    static func notFound(_ what: String, _ id: some CustomStringConvertible) -> Problem {
        let code = "\(what.split(separator: " ").joined(separator: "-"))-not-found"
        return Problem(.notFound, code, "There is no \(what) \(id.description.prefix(200)).")
    }

    static func badRequest(_ code: String, _ detail: String, at pointer: String? = nil) -> Problem {
        let errors = pointer.map { [FieldProblem(pointer: $0, detail: detail)] } ?? []
        return Problem(.badRequest, code, detail, errors: errors)
    }

    /// A body that can be read but says what cannot be.
    static func unprocessable(_ errors: [FieldProblem]) -> Problem {
        let first = errors.first.map { "\($0.pointer) \($0.detail)" } ?? "The body cannot be processed"
        let more = errors.count > 1 ? " (and \(errors.count - 1) more)" : ""
        return Problem(.unprocessableContent, "invalid-value", "\(first)\(more).", errors: errors)
    }

    /// - Parameter conditions: where, whether all is well there, and what is expected.
    /// - Throws: with 422 and all places where it is not.
    static func check(_ conditions: [(pointer: String, holds: Bool, detail: String)]) throws(Problem) {
        let errors = conditions.filter { !$0.holds }.map { FieldProblem(pointer: $0.pointer, detail: $0.detail) }
        guard errors.isEmpty else { throw unprocessable(errors) }
    }

    static func forbidden(_ detail: String) -> Problem {
        Problem(.forbidden, "forbidden", detail)
    }

    static func bodyTooLarge(limit: Int) -> Problem {
        Problem(.contentTooLarge, "body-too-large", "The body exceeds the limit of \(limit) bytes.")
    }
}
