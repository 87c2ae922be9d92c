import Crypto
import Domain
import HTTPTypes
import Hummingbird

/// What the header `Idempotency-Key` names: a request of a user at an address, however often it is sent.
struct RepeatKey: Sendable {
    /// Hexadecimal; tells nothing of the key the client chose.
    let digest: String

    /// - Returns: nil when the request has no such header.
    /// - Throws: `Problem` with 400 when it is no 1 to 255 visible ASCII characters, in quotes or without.
    init?(_ request: Request, user: UserID) throws {
        let values = request.headers[values: .idempotencyKey]
        guard let first = values.first else { return nil }
        var key = first.trimmingBlanks()
        if key.count >= 2, key.hasPrefix("\""), key.hasSuffix("\"") { key = String(key.dropFirst().dropLast()) }
        guard values.count == 1, (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw Problem.badRequest(
                "invalid-idempotency-key", "Idempotency-Key must be one of 1 to 255 visible ASCII characters.")
        }
        digest = Self.digest(
            of: [user.rawValue, request.method.rawValue, request.uri.path, key].map { Array($0.utf8) })
    }

    /// An identifier for what the request creates, always the same for the same key and content: a process that is killed
    /// after the effect and before the answer is kept leaves something that the repeated request finds.
    func identifier(_ name: String, fingerprint: String) -> String {
        String(Self.digest(of: [digest, fingerprint, name].map { Array($0.utf8) }).prefix(32))
    }

    /// Of parts of whatever length, none of which can be mistaken for a part of another.
    static func digest(of parts: [[UInt8]]) -> String {
        var hash = SHA256()
        for part in parts {
            withUnsafeBytes(of: UInt64(part.count).littleEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: part)
        }
        return hash.finalize().hexadecimal
    }
}

extension HTTPField.Name {
    static let idempotencyKey = custom("Idempotency-Key")
    static let idempotencyReplayed = custom("Idempotency-Replayed")
}
