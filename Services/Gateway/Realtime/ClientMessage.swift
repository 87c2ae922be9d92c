import Domain
import NIOCore

/// What a client sends.
enum ClientMessage: Equatable, Sendable {
    struct Subscribe: Equatable, Sendable {
        var id: String
        /// A place in `ConnectionTypeCatalog.all`.
        var kind: Int
        /// nil for all exams.
        var exams: [ExamID]?
        /// nil for all of the connection type.
        var eventTypes: Set<EventType>?
        var cursor: String?
    }

    case authenticate(token: String)
    case subscribe(Subscribe)
    case unsubscribe(id: String)
    case ping

    /// What is wrong with a message.
    struct Fault: Error, Equatable {
        let id: String?
        let code: String
        let message: String
    }

    private struct Document: Decodable {
        var type: String
        var id: String?
        var token: String?
        var connectionType: String?
        var examIDs: [ExamID]?
        var eventTypes: [EventType]?
        var cursor: String?

        enum CodingKeys: String, CodingKey {
            case type, id, token, cursor
            case connectionType = "connection_type"
            case examIDs = "exam_ids"
            case eventTypes = "event_types"
        }
    }

    init(_ text: ByteBuffer, maxExams: Int) throws(Fault) {
        guard let document = try? JSON.decode(Document.self, from: text.readableBytesView) else {
            throw Fault(
                id: nil, code: "malformed", message: "A message is a JSON object with a type and fields of their types."
            )
        }
        switch document.type {
        case "ping": self = .ping
        case "auth":
            guard let token = document.token, !token.isEmpty else {
                throw Fault(id: nil, code: "malformed", message: "auth needs a token.")
            }
            self = .authenticate(token: token)
        case "unsubscribe": self = .unsubscribe(id: try Self.id(document))
        case "subscribe": self = .subscribe(try Self.subscribe(document, maxExams: maxExams))
        default:
            throw Fault(
                id: nil, code: "unknown_type", message: "type is one of auth, subscribe, unsubscribe and ping.")
        }
    }

    private static func id(_ document: Document) throws(Fault) -> String {
        // These characters need no escaping in JSON.
        guard let id = document.id, (1...64).contains(id.utf8.count),
            id.utf8.allSatisfy({ $0.isASCIIAlphanumeric || "-_.:".utf8.contains($0) })
        else {
            throw Fault(
                id: nil, code: "invalid_id", message: "id must be 1 to 64 letters, digits, hyphens, dots or colons.")
        }
        return id
    }

    private static func subscribe(_ document: Document, maxExams: Int) throws(Fault) -> Subscribe {
        let id = try id(document)
        guard let kind = document.connectionType.flatMap(ConnectionTypeCatalog.index) else {
            let names = ConnectionTypeCatalog.all.map(\.name).joined(separator: ", ")
            throw Fault(id: id, code: "unknown_connection_type", message: "connection_type is one of \(names).")
        }
        if let exams = document.examIDs {
            guard (1...maxExams).contains(exams.count), exams.allSatisfy(\.isValid), Set(exams).count == exams.count
            else {
                throw Fault(
                    id: id, code: "invalid_exam_ids", message: "exam_ids names 1 to \(maxExams) exams, each once.")
            }
        }
        var types: Set<EventType>?
        if let named = document.eventTypes {
            types = Set(named)
            guard !named.isEmpty, ConnectionTypeCatalog.all[kind].eventTypes.isSuperset(of: named) else {
                let known = ConnectionTypeCatalog.all[kind].eventTypes.map(\.rawValue).sorted().joined(separator: ", ")
                throw Fault(id: id, code: "invalid_event_types", message: "event_types names some of \(known).")
            }
        }
        return Subscribe(
            id: id, kind: kind, exams: document.examIDs, eventTypes: types, cursor: document.cursor)
    }
}
