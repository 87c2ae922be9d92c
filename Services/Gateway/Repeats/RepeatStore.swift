import Domain
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Redis
import ServiceKit

/// Remembers the answers to requests that may be sent again (`Idempotency-Key`), in Redis, for a day.
///
/// A running request is kept alive by its gateway. That of a gateway which was killed is free again after `lease`; what
/// it did already is found by identifiers that follow from the key. Only success is remembered: a request that was
/// refused has done nothing and may be sent again.
struct RepeatStore: Sendable {
    /// How long a request is its gateway's without a sign of life.
    var lease: Duration = .seconds(30)
    static let memory: Duration = .seconds(24 * 3600)
    /// Longer answers are not remembered, in bytes.
    static let maxBodyBytes = 4 << 20

    private enum Beginning {
        case begun
        case known(Response)
    }

    let client: RedisClient
    let keys: RedisKeys

    private static let beginScript = RedisScript(name: "repeat begin", source: PackageResources.repeat_begin_lua)
    private static let settleScript = RedisScript(name: "repeat settle", source: PackageResources.repeat_settle_lua)

    /// Does `body`, unless that was done before.
    ///
    /// - Parameters:
    ///   - fingerprint: of all that matters of the request.
    ///   - owner: a name nobody else has.
    /// - Throws: `Problem` with 409 while another runs it, 422 when the key was used for another request; what `body`
    ///   throws.
    func once(
        _ key: RepeatKey, fingerprint: String, owner: String, logger: Logger, _ body: () async throws -> Response
    ) async throws -> Response {
        let place = keys.global("repeat:\(key.digest)")
        if case .known(let response) = try await begin(place, fingerprint, owner) { return response }
        let response: Response
        do {
            response = try await withSignsOfLife(place, owner, body)
        } catch {
            await settle(place, owner, keepingFor: .zero, nil, logger)
            throw error
        }
        guard response.status.kind == .successful,
            let bytes = try await BodyCollector.bytes(of: response.body, limit: Self.maxBodyBytes)
        else {
            await settle(place, owner, keepingFor: .zero, nil, logger)
            return response
        }
        await settle(place, owner, keepingFor: Self.memory, (response, bytes), logger)
        return response
    }

    private func begin(_ place: String, _ fingerprint: String, _ owner: String) async throws -> Beginning {
        let reply = try await client.evaluate(
            Self.beginScript, keys: [place], arguments: [fingerprint, owner, lease.milliseconds])
        switch reply.string {
        case "BEGUN": return .begun
        case "BUSY":
            throw Problem(
                .conflict, "request-in-progress", "The same request is being worked on. Ask again.",
                headers: [.retryAfter: "1"])
        case "OTHER":
            throw Problem(
                .unprocessableContent, "idempotency-key-reused",
                "This Idempotency-Key was used for another request. Take a new one.")
        default:
            guard let answer = reply.array, answer.count == 3, let status = answer[0].int,
                let headers = try? JSON.decode([String: String].self, from: answer[1].bytes ?? []),
                let body = answer[2].bytes
            else { throw Problem(.internalServerError, "internal-error", "The kept answer cannot be read.") }
            var response = Response(
                status: .init(code: status), headers: [.idempotencyReplayed: "true"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
            for (name, value) in headers {
                if let name = HTTPField.Name(name) { response.headers[name] = value }
            }
            return .known(response)
        }
    }

    private func withSignsOfLife(
        _ place: String, _ owner: String, _ body: () async throws -> Response
    ) async throws -> Response {
        let (client, lease) = (client, lease)
        let beats = Task {
            while true {
                try await Task.sleep(for: lease / 3)
                _ = try? await client.evaluate(
                    Self.settleScript, keys: [place], arguments: [owner, lease.milliseconds])
            }
        }
        // A task group would need `body` to be sendable; the task ends here in every case.
        defer { beats.cancel() }
        return try await body()
    }

    /// That the answer is not kept must not spoil it: the effect is made, and is found when it is asked for again.
    private func settle(
        _ place: String, _ owner: String, keepingFor time: Duration, _ answer: (Response, [UInt8])?, _ logger: Logger
    ) async {
        do {
            var arguments: [any RedisArgument] = [owner, time.milliseconds]
            if let (response, bytes) = answer {
                let headers = response.headers.reduce(into: [:]) { $0[$1.name.canonicalName] = $1.value }
                arguments += [response.status.code, try JSON.encode(headers), bytes] as [any RedisArgument]
            }
            _ = try await client.evaluate(Self.settleScript, keys: [place], arguments: arguments)
        } catch {
            logger.warning("the answer to a repeatable request is not kept", metadata: [LogKey.error: "\(error)"])
        }
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
