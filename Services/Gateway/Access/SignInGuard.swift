import Access
import Accounts
import Domain
import Glibc
import HTTPTypes

/// Keeps passwords from being guessed: after so many failures of a name, or from an address, none is compared for a
/// while, not even the right one. Names nobody has are counted alike.
struct SignInGuard: Sendable {
    let accounts: Accounts
    let limits: SignInLimits
    let secret: TokenSecret

    /// Runs `body` unless too many tries have failed. One that throws is no try.
    ///
    /// - Parameter address: of the other end.
    /// - Throws: `Problem` with 429; what `body` throws.
    func attempt<Result>(
        _ name: String, from address: String?, _ body: () async throws -> (Result, isAccepted: Bool)
    ) async throws -> Result {
        let attempt = SignInAttempt(nameDigest: secret.digest(of: name), network: Self.network(of: address))
        if let wait = try await accounts.begin(attempt, limits: limits) {
            let seconds = max(1, wait.components.seconds + (wait.components.attoseconds > 0 ? 1 : 0))
            throw Problem(
                .tooManyRequests, "too-many-failures", "Too many sign-ins have failed. Try again later.",
                headers: [.retryAfter: "\(seconds)"])
        }
        do {
            let (result, isAccepted) = try await body()
            if isAccepted { try await accounts.succeed(attempt) }
            return result
        } catch {
            try? await accounts.undo(attempt)
            throw error
        }
    }

    /// Forgets what has failed under a name.
    func unlock(_ user: UserID, by author: Author) async throws {
        try await accounts.unlock(user, nameDigest: secret.digest(of: user.rawValue), by: author)
    }

    /// An IPv4 address, or the first half of an IPv6 address, all of which one customer has.
    static func network(of address: String?) -> String {
        guard let address else { return "unknown" }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, address, &v6) == 1 else {
            var v4 = in_addr()
            return inet_pton(AF_INET, address, &v4) == 1 ? address : "unknown"
        }
        let bytes = withUnsafeBytes(of: v6) { Array($0) }
        if bytes[0..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
            return bytes[12..<16].map { "\($0)" }.joined(separator: ".")
        }
        return bytes[0..<8].map { String($0, radix: 16) }.joined(separator: "-")
    }
}
