import Crypto
import Domain
import Foundation
import Testing

@testable import Access

@Suite struct TokenAuthorityTests {
    private let secret = "0123456789abcdef0123456789abcdef"

    private func authority(_ secret: String? = nil, at time: Timestamp = .now) async throws -> TokenAuthority {
        try await TokenAuthority(secret: TokenSecret(secret ?? self.secret), now: { time })
    }

    @Test func `a token says who its bearer is`() async throws {
        let token = try await authority().token(for: "zhang", role: .teacher, lifetime: 60)
        let claims = try await authority().verify(token)
        #expect(claims.user == "zhang")
        #expect(claims.role == .teacher)
        #expect(claims.expiresAt.milliseconds / 1000 - claims.issuedAt.milliseconds / 1000 == 60)
    }

    @Test func `a token is refused from the second it expires`() async throws {
        let start = Timestamp(milliseconds: 1_800_000_000_000)
        let token = try await authority(at: start).token(for: "zhang", role: .teacher, lifetime: 60)
        let before = Timestamp(milliseconds: start.milliseconds + 59_999)
        #expect(try await authority(at: before).verify(token).user == "zhang")
        await expect(.expired, token, at: Timestamp(milliseconds: start.milliseconds + 60_000))
    }

    @Test func `a token from the future is refused beyond a minute`() async throws {
        let start = Timestamp(milliseconds: 1_800_000_000_000)
        let token = try await authority(at: start).token(for: "zhang", role: .teacher, lifetime: 600)
        let near = Timestamp(milliseconds: start.milliseconds - 60_000)
        #expect(try await authority(at: near).verify(token).user == "zhang")
        await expect(.notYetValid, token, at: Timestamp(milliseconds: start.milliseconds - 60_001))
    }

    @Test func `a token signed with another secret is refused`() async throws {
        let token = try await authority("another secret of at least 32 bytes").token(
            for: "zhang", role: .admin, lifetime: 60)
        await expect(.unknownKey, token)
        // Nor without the name of its key.
        let parts = token.split(separator: ".")
        await expect(.badSignature, "\(base64URL(Data(#"{"alg":"HS256"}"#.utf8))).\(parts[1]).\(parts[2])")
    }

    @Test func `changing any character of a token makes it invalid`() async throws {
        let token = try await authority().token(for: "zhang", role: .teacher, lifetime: 60)
        let characters = Array(token)
        for index in characters.indices.dropLast() {
            var changed = characters
            changed[index] = changed[index] == "A" ? "B" : "A"
            await #expect(throws: TokenError.self, "position \(index)") {
                try await authority().verify(String(changed))
            }
        }
    }

    @Test(arguments: [
        (#"{"alg":"none"}"#, TokenError.Code.badSignature),
        (#"{"alg":"HS512"}"#, .badSignature),
        (#"{"alg":"HS256","kid":"unknown"}"#, .unknownKey),
        (#"{"alg":"HS256","crit":["b64"],"b64":false}"#, .badSignature), (#"{"alg":"None"}"#, .badSignature),
        (#"{"alg":"RS256"}"#, .badSignature), (#"{"alg":"hs256"}"#, .badSignature),
        (#"{"typ":"JWT"}"#, .malformed),
        ("no json", .malformed),
    ])
    func `a header that asks for another way of signing is refused`(header: String, code: TokenError.Code) async throws
    {
        await expect(code, handmade(header: header, claims: claims()))
    }

    @Test(arguments: [
        ("iss", #""elsewhere""#, TokenError.Code.foreign), ("aud", #""elsewhere""#, .foreign),
        ("aud", #"["a","b"]"#, .foreign), ("role", #""king""#, .malformed), ("sub", #""""#, .malformed),
        ("sub", #""a b""#, .malformed), ("exp", #""soon""#, .malformed), ("exp", "1e300", .malformed),
        ("exp", "-1", .malformed), ("exp", "null", .malformed), ("iat", "null", .malformed),
        ("iss", "null", .malformed),
        ("aud", "null", .malformed), ("aud", "[]", .foreign), ("nbf", "4000000000", .notYetValid),
        ("nbf", #""later""#, .malformed), ("exp", "4000000000", .malformed),
    ])
    func `a signed token with a wrong claim is refused`(claim: String, value: String, code: TokenError.Code)
        async throws
    {
        await expect(code, handmade(header: #"{"alg":"HS256"}"#, claims: claims(replacing: claim, with: value)))
    }

    @Test func `a token made by hand with the right claims is accepted`() async throws {
        let token = handmade(header: #"{"alg":"HS256"}"#, claims: claims(replacing: "aud", with: #"["x","zhiyue"]"#))
        #expect(try await authority().verify(token).user == "li")
    }

    @Test(arguments: ["", ".", "..", "...", "a.b.c", "e30.e30.e30", String(repeating: "a", count: 9000)])
    func `what is no token is refused`(text: String) async throws {
        await #expect(throws: TokenError.self) { try await authority().verify(text) }
    }

    private func expect(_ code: TokenError.Code, _ token: String, at time: Timestamp = .now) async {
        do {
            let claims = try await authority(at: time).verify(token)
            Issue.record("accepted: \(claims)")
        } catch {
            #expect((error as? TokenError)?.code == code, "\(error)")
        }
    }

    private func claims(replacing claim: String? = nil, with value: String = "") -> String {
        var claims = [
            "sub": #""li""#, "role": #""teacher""#, "iat": "\(Timestamp.now.milliseconds / 1000)",
            "exp": "\(Timestamp.now.milliseconds / 1000 + 600)", "iss": #""zhiyue""#,
            "aud": #""zhiyue""#,
        ]
        if let claim { claims[claim] = value }
        return "{" + claims.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }

    private func handmade(header: String, claims: String) -> String {
        let signed = [header, claims].map { base64URL(Data($0.utf8)) }.joined(separator: ".")
        let code = HMAC<SHA256>.authenticationCode(
            for: Data(signed.utf8), using: SymmetricKey(data: Data(secret.utf8)))
        return signed + "." + base64URL(Data(code))
    }

    private func base64URL(_ data: Data) -> String {
        data.base64EncodedString().replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
            .replacingOccurrences(of: "=", with: "")
    }
}
