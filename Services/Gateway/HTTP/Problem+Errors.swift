import Accounts
import BlobStore
import EventBus
import ExamStore
import HTTPTypes
import Hummingbird
import NIOCore
import Redis
import TaskQueue
import Webhooks

extension Problem {
    /// What the client is told about `error`.
    ///
    /// - Returns: nil for an error the client is told nothing about but that it happened.
    init?(_ error: any Error) {
        switch error {
        case let problem as Problem:
            self = problem
        case let error as HTTPError:
            self.init(error)
        case let error as ExamStoreError:
            guard let problem = Self.problem(error) else { return nil }
            self = problem
        case let error as AccountsError:
            guard let problem = Self.problem(error) else { return nil }
            self = problem
        case let error as TaskQueueError:
            guard let problem = Self.problem(error) else { return nil }
            self = problem
        case let error as WebhookError:
            guard let problem = Self.problem(error) else { return nil }
            self = problem
        case let error as EventBusError where error.code == .invalidArgument:
            self = .badRequest("invalid-argument", "\(error.message).")
        case let error as IncomingFileError:
            self = error.isFull ? .storageFull : .storageUnavailable
        case let error as BlobStoreError where error.code == .full:
            self = .storageFull
        case is RedisError:
            self.init(
                .serviceUnavailable, "store-unavailable", "The store cannot be reached at the moment. Try again.",
                headers: [.retryAfter: "2"])
        case is NIOTooManyBytesError:
            self.init(.contentTooLarge, "body-too-large", "The body is too large.")
        default:
            return nil
        }
    }

    private static let storageFull = Problem(
        .insufficientStorage, "storage-full",
        "The server's disk is full. Tell its administrator, and send the request again later.")
    private static let storageUnavailable = Problem(
        .serviceUnavailable, "storage-unavailable", "The server's disk does not take the upload now. Try again.",
        headers: [.retryAfter: "10"])

    private init(_ error: HTTPError) {
        switch error.status {
        case .notFound:
            self.init(.notFound, "no-such-address", "There is nothing at this address.", headers: error.headers)
        default:
            let code = error.status.reasonPhrase.lowercased().split(separator: " ").joined(separator: "-")
            self.init(
                error.status, code, error.body ?? "The request cannot be served.", headers: error.headers)
        }
    }

    private static func problem(_ error: ExamStoreError) -> Problem? {
        switch error.code {
        case .notFound: Problem(.notFound, "not-found", "\(error.message).")
        case .versionMismatch:
            Problem(.preconditionFailed, "version-mismatch", "\(error.message). Read it again and repeat the change.")
        case .layoutFixed: Problem(.conflict, "layout-fixed", "\(error.message).")
        case .tooMany: Problem(.conflict, "too-many", "\(error.message).")
        case .contention:
            Problem(.serviceUnavailable, "contention", "\(error.message).", headers: [.retryAfter: "1"])
        case .invalidCursor: .badRequest("invalid-query", "\(error.message).", at: "?cursor")
        case .leaseLost: Problem(.conflict, "lease-lost", "\(error.message).")
        case .settled: Problem(.conflict, "review-settled", "\(error.message).")
        case .studentTaken: Problem(.conflict, "student-taken", "\(error.message).")
        case .superseded, .corrupt: nil
        }
    }

    private static func problem(_ error: AccountsError) -> Problem? {
        switch error.code {
        case .noUser: Problem(.notFound, "user-not-found", "\(error.message).")
        case .userExists: Problem(.conflict, "user-exists", "\(error.message).")
        case .lastAdministrator: Problem(.conflict, "last-administrator", "\(error.message).")
        case .contention:
            Problem(.serviceUnavailable, "contention", "\(error.message).", headers: [.retryAfter: "1"])
        case .corrupt: nil
        }
    }

    private static func problem(_ error: WebhookError) -> Problem? {
        switch error.code {
        case .notFound: Problem(.notFound, "webhook-not-found", "\(error.message).")
        case .tooMany: Problem(.conflict, "too-many", "\(error.message).")
        case .contention:
            Problem(.serviceUnavailable, "contention", "\(error.message).", headers: [.retryAfter: "1"])
        case .corrupt: nil
        }
    }

    private static func problem(_ error: TaskQueueError) -> Problem? {
        switch error.code {
        case .queueFull: Problem(.serviceUnavailable, "queue-full", "\(error.message).", headers: [.retryAfter: "10"])
        case .payloadTooLarge: Problem(.contentTooLarge, "payload-too-large", "\(error.message).")
        case .invalid: Problem(.badRequest, "invalid-argument", "\(error.message).")
        case .notFound: Problem(.notFound, "task-not-found", "\(error.message).")
        case .wrongState: Problem(.conflict, "wrong-state", "\(error.message).")
        case .resultTooLarge, .invalidConfiguration, .leaseLost, .stuck, .unexpectedReply: nil
        }
    }
}

extension HTTPResponse.Status {
    static let insufficientStorage = HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
}
