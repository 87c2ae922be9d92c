import NIOHTTP1
import Testing

@testable import Gateway

@Suite struct OriginPolicyTests {
    @Test(
        arguments: [
            (nil, "zhiyue.example", true), ("https://zhiyue.example", "zhiyue.example", true),
            ("http://127.0.0.1:8080", "127.0.0.1:8080", true), ("https://zhiyue.example", "zhiyue.example:443", true),
            ("http://zhiyue.example:80", "zhiyue.example", true), ("https://evil.example", "zhiyue.example", false),
            ("https://zhiyue.example.evil.example", "zhiyue.example", false), ("null", "zhiyue.example", false),
            ("https://zhiyue.example:444", "zhiyue.example", false), ("https://school.example", "zhiyue.example", true),
            ("HTTPS://SCHOOL.example", "zhiyue.example", true), ("http://school.example", "zhiyue.example", false),
            ("file://zhiyue.example", "zhiyue.example", false),
        ] as [(String?, String, Bool)])
    func `pages of this site and of listed ones may connect, and what is no page`(
        origin: String?, host: String, isAllowed: Bool
    ) {
        let policy = OriginPolicy(allowed: ["https://school.example"])
        #expect(
            policy.allows(.init([("host", host)] + (origin.map { [("origin", $0)] } ?? []))) == isAllowed)
    }

    @Test func `two origins are none`() {
        let headers: [(String, String)] = [
            ("host", "a.example"), ("origin", "https://a.example"), ("origin", "https://a.example"),
        ]
        #expect(!OriginPolicy(allowed: []).allows(.init(headers)))
    }

    @Test func `only origins can be listed`() {
        #expect(OriginPolicy.isOrigin("https://school.example:8443"))
        for text in ["school.example", "https://", "https://school.example/path", "*"] {
            #expect(!OriginPolicy.isOrigin(text), "\(text)")
        }
    }
}
