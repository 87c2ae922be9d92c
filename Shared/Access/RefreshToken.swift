internal import Crypto
package import Domain
internal import FoundationEssentials

/// What a client shows to get a new access token: opaque to it, random, and good for one use. Redis holds hashes of its
/// parts alone.
package struct RefreshToken: Sendable, Equatable, CustomStringConvertible {
    private static let familyBytes = 16
    private static let secretBytes = 32

    package let user: UserID
    /// The same in all tokens of a session, and in nothing else: who shows it has had one of them.
    private let family: [UInt8]
    private let secret: [UInt8]

    /// The first token of a new session.
    package init(for user: UserID) {
        self.init(user: user, family: Self.random(Self.familyBytes), secret: Self.random(Self.secretBytes))
    }

    /// - Returns: nil when `text` cannot be one.
    package init?(_ text: String) {
        guard text.utf8.count <= 256, let bytes = Data(base64URL: text),
            bytes.count > Self.familyBytes + Self.secretBytes
        else { return nil }
        let secretEnd = Self.familyBytes + Self.secretBytes
        let user = UserID(String(decoding: bytes[secretEnd...], as: UTF8.self))
        guard user.isValid else { return nil }
        self.init(
            user: user, family: [UInt8](bytes[..<Self.familyBytes]),
            secret: [UInt8](bytes[Self.familyBytes..<secretEnd]))
    }

    private init(user: UserID, family: [UInt8], secret: [UInt8]) {
        self.user = user
        self.family = family
        self.secret = secret
    }

    /// The next token of the same session.
    package func next() -> RefreshToken {
        RefreshToken(user: user, family: family, secret: Self.random(Self.secretBytes))
    }

    /// As the client gets it.
    package var text: String {
        Data(family + secret + Array(user.rawValue.utf8)).base64URL
    }

    /// Names the session in access tokens and in Redis. The family cannot be told from it.
    package var session: String {
        String(Data(SHA256.hash(data: family)).base64URL.prefix(22))
    }

    package var secretHash: String {
        Data(SHA256.hash(data: secret)).base64URL
    }

    /// Never shows the token.
    package var description: String { "RefreshToken(\(session))" }

    private static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}
