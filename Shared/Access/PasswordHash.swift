internal import Crypto
internal import CryptoExtras
internal import FoundationEssentials

/// A password's scrypt hash, written `scrypt$N$r$p$salt$hash` with salt and hash in base64.
///
/// Making or checking one takes about a quarter of a second and 32 MiB: never on an event loop, never unbounded many.
package struct PasswordHash: Equatable, Sendable {
    package struct Cost: Equatable, Sendable {
        /// A power of 2 (N).
        package var rounds: Int
        /// r
        package var blockSize: Int
        /// p
        package var parallelism: Int

        package init(rounds: Int, blockSize: Int, parallelism: Int) {
            self.rounds = rounds
            self.blockSize = blockSize
            self.parallelism = parallelism
        }

        /// One of the settings OWASP advises, the one with the least memory: three passes over 32 MiB.
        package static let standard = Cost(rounds: 1 << 15, blockSize: 8, parallelism: 3)

        /// Of what is hashed now. Builds without optimisation would take ten seconds for the standard.
        #if DEBUG
            package static let current = Cost(rounds: 1 << 12, blockSize: 8, parallelism: 1)
        #else
            package static let current = standard
        #endif

        /// What a stored hash may ask of this process.
        var isAcceptable: Bool {
            rounds >= 2 && rounds <= 1 << 18 && rounds & (rounds - 1) == 0 && (1...16).contains(blockSize)
                && (1...16).contains(parallelism) && rounds * blockSize <= 1 << 21
        }
    }

    /// Longer passwords are refused: hashing must not become a way to keep the machine busy.
    package static let maxPasswordBytes = 1024
    private static let saltBytes = 16
    private static let hashBytes = 32

    package let cost: Cost
    let salt: [UInt8]
    let hash: [UInt8]

    /// Hashes `password` with a new salt.
    package init(password: String, cost: Cost = .standard) throws {
        var generator = SystemRandomNumberGenerator()
        let salt = (0..<Self.saltBytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
        self.cost = cost
        self.salt = salt
        hash = try Self.derive(password, salt: salt, cost: cost, count: Self.hashBytes)
    }

    /// - Returns: nil when `text` is no hash of this kind or asks for more work than a sane one does.
    package init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false).map { String($0) }
        guard parts.count == 6, parts[0] == "scrypt", let rounds = Int(parts[1]), let blockSize = Int(parts[2]),
            let parallelism = Int(parts[3]), let salt = Data(base64Encoded: parts[4]),
            let hash = Data(base64Encoded: parts[5])
        else { return nil }
        cost = Cost(rounds: rounds, blockSize: blockSize, parallelism: parallelism)
        self.salt = [UInt8](salt)
        self.hash = [UInt8](hash)
        guard cost.isAcceptable, (8...64).contains(salt.count), (16...64).contains(hash.count) else { return nil }
    }

    package var text: String {
        let encoded = [salt, hash].map { Data($0).base64EncodedString() }
        return "scrypt$\(cost.rounds)$\(cost.blockSize)$\(cost.parallelism)$\(encoded[0])$\(encoded[1])"
    }

    /// Whether `password` is the one that was hashed. Takes as long for a wrong one as for the right one.
    package func matches(_ password: String) throws -> Bool {
        guard password.utf8.count <= Self.maxPasswordBytes else { return false }
        let other = try Self.derive(password, salt: salt, cost: cost, count: hash.count)
        return zip(hash, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func derive(_ password: String, salt: [UInt8], cost: Cost, count: Int) throws -> [UInt8] {
        let key = try KDF.Scrypt.deriveKey(
            from: Array(password.utf8), salt: salt, outputByteCount: count, rounds: cost.rounds,
            blockSize: cost.blockSize, parallelism: cost.parallelism)
        return key.withUnsafeBytes { Array($0) }
    }
}
