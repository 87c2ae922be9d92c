import Crypto
import CryptoExtras
import Domain
import Foundation
import Testing

@testable import Access

/// Tokens of an outside issuer, made by hand with keys of the tests.
@Suite struct OutsideIssuerTests {
    private static let rsa = Result { try _RSA.Signing.PrivateKey(keySize: .bits2048) }
    private static let p256 = P256.Signing.PrivateKey()
    private static let ed25519 = Curve25519.Signing.PrivateKey()

    private static func keySet() throws -> String {
        let primitives = try rsa.get().publicKey.getKeyPrimitives()
        let (n, e) = (primitives.modulus, primitives.publicExponent)
        let point = p256.publicKey.rawRepresentation
        return """
            {"keys":[
            {"kty":"RSA","kid":"r","use":"sig","alg":"RS256","n":"\(n.base64URL)","e":"\(e.base64URL)"},
            {"kty":"EC","kid":"e","crv":"P-256","x":"\(point.prefix(32).base64URL)","y":"\(point.suffix(32).base64URL)"},
            {"kty":"OKP","kid":"o","crv":"Ed25519","alg":"EdDSA","x":"\(ed25519.publicKey.rawRepresentation.base64URL)"},
            {"kty":"oct","kid":"secret","alg":"HS256","k":"\(Data(repeating: 7, count: 32).base64URL)"},
            {"kty":"RSA","kid":"encryption","use":"enc","n":"\(n.base64URL)","e":"\(e.base64URL)"},
            {"kty":"RSA","kid":"other","alg":"RS512","n":"\(n.base64URL)","e":"\(e.base64URL)"},
            {"kty":"EC","kid":"r","crv":"P-256","x":"\(point.prefix(32).base64URL)","y":"\(point.suffix(32).base64URL)"},
            {"kty":"RSA","n":"\(n.base64URL)","e":"\(e.base64URL)"}]}
            """
    }

    private func authority(_ change: (inout OutsideIssuer) -> Void = { _ in }) async throws -> TokenAuthority {
        var issuer = OutsideIssuer(issuer: "https://id.school.cn", audience: "marking")
        change(&issuer)
        let authority = try await TokenAuthority(
            secrets: [TokenSecret(String(repeating: "s", count: 32))], outside: issuer)
        authority.use(try await JSONWebKeySet(Array(try Self.keySet().utf8)))
        return authority
    }

    private func claims(_ changes: [String: String?] = [:]) -> String {
        let now = Timestamp.now.milliseconds / 1000
        var claims: [String: String?] = [
            "iss": #""https://id.school.cn""#, "aud": #""marking""#, "sub": #""li@school.cn""#, "role": #""teacher""#,
            "iat": "\(now)", "exp": "\(now + 600)",
        ]
        claims.merge(changes) { $1 }
        return "{" + claims.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }.joined(separator: ",") + "}"
    }

    /// - Parameter signer: which key signs, whatever the header says.
    private func token(header: String, _ claims: String, signer: String) throws -> String {
        let signed = [header, claims].map { Data($0.utf8).base64URL }.joined(separator: ".")
        let bytes = Data(signed.utf8)
        let signature: Data =
            switch signer {
            case "RS256": try Self.rsa.get().signature(for: bytes, padding: .insecurePKCS1v1_5).rawRepresentation
            case "ES256": try Self.p256.signature(for: bytes).rawRepresentation
            case "EdDSA": try Self.ed25519.signature(for: bytes)
            case "none": Data()
            // The public key as a shared secret: what confuses a verifier that lets the token choose.
            case "public key":
                Data(
                    HMAC<SHA256>.authenticationCode(
                        for: bytes,
                        using: SymmetricKey(data: Data(try Self.rsa.get().publicKey.pemRepresentation.utf8))))
            default:
                Data(
                    HMAC<SHA256>.authenticationCode(
                        for: bytes, using: SymmetricKey(data: Data(repeating: 7, count: 32))))
            }
        return signed + "." + signature.base64URL
    }

    private func expect(_ code: TokenError.Code, _ token: String, _ comment: Comment? = nil) async throws {
        let authority = try await authority()
        do throws(TokenError) {
            Issue.record("accepted: \(try authority.verify(token))")
        } catch {
            #expect(error.code == code, comment)
        }
    }

    @Test(arguments: [("RS256", "r"), ("ES256", "e"), ("EdDSA", "o")])
    func `a token signed with a key of the issuer says who its bearer is`(algorithm: String, key: String) async throws {
        let text = try token(header: #"{"alg":"\#(algorithm)","kid":"\#(key)"}"#, claims(), signer: algorithm)
        let claims = try await authority().verify(text)
        #expect(claims.user == "li@school.cn")
        #expect(claims.role == .teacher)
        #expect(claims.issuer == "https://id.school.cn")
        var changed = text
        changed.replaceSubrange(
            changed.index(changed.endIndex, offsetBy: -20)..<changed.endIndex, with: "AAAAAAAAAAAAAAAAAAAA")
        try await expect(.badSignature, changed)
    }

    @Test(arguments: [
        (#"{"alg":"none","kid":"r"}"#, "none", TokenError.Code.badSignature),
        (#"{"alg":"None","kid":"r"}"#, "none", .badSignature),
        (#"{"alg":"none"}"#, "none", .badSignature),
        (#"{"alg":"HS256","kid":"r"}"#, "public key", .badSignature),
        (#"{"alg":"HS256"}"#, "public key", .badSignature),
        (#"{"alg":"RS256"}"#, "RS256", .badSignature),
        (#"{"alg":"ES256","kid":"r"}"#, "ES256", .badSignature),
        (#"{"alg":"RS256","kid":"e"}"#, "RS256", .badSignature),
        (#"{"alg":"EdDSA","kid":"e"}"#, "EdDSA", .badSignature),
        (#"{"alg":"RS512","kid":"r"}"#, "RS256", .badSignature),
        (#"{"alg":"PS256","kid":"r"}"#, "RS256", .badSignature),
        (#"{"alg":"RS256","kid":"unknown"}"#, "RS256", .unknownKey),
        (#"{"alg":"RS256","kid":""}"#, "RS256", .unknownKey),
        (#"{"alg":"HS256","kid":"secret"}"#, "HS256", .unknownKey),
        (#"{"alg":"RS256","kid":"encryption"}"#, "RS256", .unknownKey),
        (#"{"alg":"RS256","kid":"other"}"#, "RS256", .unknownKey),
        (#"{"alg":"RS256","kid":"r","crit":["x"]}"#, "RS256", .badSignature),
        (#"{"alg":"RS256","kid":"r","jwk":{"kty":"oct"}}"#, "HS256", .badSignature),
        (#"{"kid":"r"}"#, "RS256", .malformed),
    ])
    func `the key chooses the algorithm, and the token's name of it the key`(
        header: String, signer: String, code: TokenError.Code
    ) async throws {
        try await expect(code, try token(header: header, claims(), signer: signer), "\(header)")
    }

    @Test(
        arguments: [
            ("iss", nil, TokenError.Code.foreign), ("iss", #""zhiyue""#, .foreign), ("aud", nil, .foreign),
            ("aud", #""other""#, .foreign), ("aud", "[]", .foreign), ("exp", nil, .malformed), ("exp", "1", .expired),
            ("exp", "9999999999", .malformed), ("exp", #""never""#, .malformed), ("nbf", "9999999999", .notYetValid),
            ("nbf", #""x""#, .malformed), ("iat", "9999999999", .notYetValid), ("iat", "[]", .malformed),
            ("sub", nil, .malformed), ("sub", #""a b""#, .malformed), ("sub", "7", .malformed), ("role", nil, .foreign),
            ("role", #""king""#, .foreign), ("role", "[]", .foreign),
        ] as [(String, String?, TokenError.Code)])
    func `a claim that is missing or wrong is refused`(name: String, value: String?, code: TokenError.Code) async throws
    {
        let text = try token(header: #"{"alg":"ES256","kid":"e"}"#, claims([name: value]), signer: "ES256")
        try await expect(code, text, "\(name) \(value ?? "missing")")
    }

    @Test func `roles, users and student numbers are found where the settings say`() async throws {
        let authority = try await authority { issuer in
            issuer.roleClaim = "realm_access.roles"
            issuer.userClaim = "https://school.cn/name"
            issuer.studentClaim = "school.number"
        }
        func verify(_ roles: String) throws -> AccessClaims {
            let text = try token(
                header: #"{"alg":"EdDSA","kid":"o"}"#,
                claims([
                    "realm_access": #"{"roles":\#(roles)}"#, "https://school.cn/name": #""wang""#,
                    "school": #"{"number":"0042"}"#, "aud": #"["x","marking"]"#, "iat": nil,
                ]), signer: "EdDSA")
            return try authority.verify(text)
        }
        let student = try verify(#"["guest","student"]"#)
        #expect(student.role == .student)
        #expect(student.user == "wang")
        #expect(student.studentID == "0042")
        #expect(student.issuedAt < Timestamp.now)
        let teacher = try verify(#"["student","teacher","marker"]"#)
        #expect(teacher.role == .teacher)
        #expect(teacher.studentID == nil)
    }

    @Test func `neither side's keys sign for the other`() async throws {
        let authority = try await authority()
        // Our own secret and name, the claims of the issuer, and the other way round.
        let own = try await authority.token(for: "li", role: .admin, lifetime: 60)
        let header = String(own.split(separator: ".")[0])
        let signed = header + "." + Data(claims().utf8).base64URL
        let code = HMAC<SHA256>.authenticationCode(
            for: Data(signed.utf8), using: SymmetricKey(data: Data(repeating: UInt8(ascii: "s"), count: 32)))
        try await expect(.foreign, signed + "." + Data(code).base64URL)
        let text = try token(
            header: #"{"alg":"ES256","kid":"e"}"#, claims(["iss": #""zhiyue""#, "aud": #""zhiyue""#]), signer: "ES256")
        try await expect(.foreign, text)
    }

    @Test func `keys of the issuer that are gone verify nothing any more`() async throws {
        let authority = try await authority()
        let text = try token(header: #"{"alg":"RS256","kid":"r"}"#, claims(), signer: "RS256")
        _ = try authority.verify(text)
        let point = Self.p256.publicKey.rawRepresentation
        let other =
            #"{"keys":[{"kty":"EC","kid":"n","crv":"P-256","x":"\#(point.prefix(32).base64URL)","y":"\#(point.suffix(32).base64URL)"}]}"#
        authority.use(try await JSONWebKeySet(Array(other.utf8)))
        #expect(throws: TokenError.self) { try authority.verify(text) }
    }

    @Test(arguments: [
        "", "{}", "[]", #"{"keys":[]}"#, #"{"keys":[{"kty":"oct","kid":"k","k":"AAAA"}]}"#,
        #"{"keys":[{"kty":"RSA","kid":"small","n":"AQAB","e":"AQAB"}]}"#,
        #"{"keys":[{"kty":"EC","kid":"k","crv":"P-256","x":"AAAA","y":"AAAA"}]}"#,
    ])
    func `what is no set of usable keys is refused`(text: String) async {
        await #expect(throws: TokenSecretError.self) { try await JSONWebKeySet(Array(text.utf8)) }
    }

    @Test func `of several own secrets the first signs and all verify, until they are dropped`() async throws {
        let (old, new) = (
            try TokenSecret(String(repeating: "o", count: 32)), try TokenSecret(String(repeating: "n", count: 32))
        )
        let before = try await TokenAuthority(secret: old).token(for: "li", role: .teacher, lifetime: 60)
        let authority = try await TokenAuthority(secrets: [new, old])
        #expect(try authority.verify(before).user == "li")
        let after = try await authority.token(for: "li", role: .teacher, lifetime: 60)
        #expect(try await TokenAuthority(secret: new).verify(after).user == "li")
        try await authority.use([new])
        let error = #expect(throws: TokenError.self) { try authority.verify(before) }
        #expect(error?.code == .unknownKey)
        #expect(try authority.verify(after).user == "li")
    }
}
