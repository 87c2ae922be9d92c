import Domain
import Foundation
import Testing

@testable import Access

@Suite struct RefreshTokenTests {
    @Test func `a token survives being written and read`() throws {
        let token = RefreshToken(for: "zhang@school.cn")
        let read = try #require(RefreshToken(token.text))
        #expect(read == token)
        #expect(read.user == "zhang@school.cn")
    }

    @Test func `the next token is of the same session and has another secret`() {
        let first = RefreshToken(for: "zhang")
        let next = first.next()
        #expect(next.session == first.session)
        #expect(next.secretHash != first.secretHash)
        #expect(next.text != first.text)
        #expect(RefreshToken(for: "zhang").session != first.session)
    }

    @Test func `neither what Redis keeps nor what logs show is part of the token`() {
        let token = RefreshToken(for: "zhang")
        for text in [token.session, token.secretHash, "\(token)"] {
            #expect(!token.text.contains(text))
            #expect(!text.contains(token.text))
        }
    }

    @Test(arguments: ["", "x", "!!!!", String(repeating: "A", count: 63), String(repeating: "A", count: 400)])
    func `what is no token is refused`(text: String) {
        #expect(RefreshToken(text) == nil)
    }

    @Test func `a token of nobody is refused`() {
        let bytes = [UInt8](repeating: 1, count: 48) + Array("a b".utf8)
        #expect(RefreshToken(Data(bytes).base64URL) == nil)
    }
}
