import Testing

@testable import Access

@Suite struct PasswordHashTests {
    private let cheap = PasswordHash.Cost(rounds: 16, blockSize: 1, parallelism: 1)

    @Test func `a hash matches its password and no other`() throws {
        let hash = try PasswordHash(password: "智阅 pass", cost: cheap)
        #expect(try hash.matches("智阅 pass"))
        #expect(try !hash.matches("智阅 pasS"))
        #expect(try !hash.matches(""))
        #expect(try !hash.matches(String(repeating: "x", count: 2000)))
    }

    @Test func `a hash survives being written and read`() throws {
        let hash = try PasswordHash(password: "secret", cost: cheap)
        let read = try #require(PasswordHash(hash.text))
        #expect(read == hash)
        #expect(try read.matches("secret"))
        #expect(hash.text.hasPrefix("scrypt$16$1$1$"))
    }

    @Test func `the same password never hashes to the same text`() throws {
        #expect(try PasswordHash(password: "x", cost: cheap) != PasswordHash(password: "x", cost: cheap))
    }

    @Test func `the standard cost works and is what new hashes use`() throws {
        let hash = try PasswordHash(password: "x")
        #expect(hash.cost == .standard)
        #expect(try hash.matches("x"))
    }

    @Test func `the hash is the scrypt of the RFC`() throws {
        // RFC 7914, section 12: "pleaseletmein", "SodiumChloride".
        let hash = try #require(
            PasswordHash(
                "scrypt$16384$8$1$U29kaXVtQ2hsb3JpZGU=$"
                    + "cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw=="))
        #expect(try hash.matches("pleaseletmein"))
        #expect(try !hash.matches("pleaseletmeout"))
    }

    @Test(arguments: [
        "", "scrypt", "bcrypt$16$1$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAA==",
        "scrypt$15$1$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAA==",
        "scrypt$1073741824$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAA==",
        "scrypt$262144$16$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAA==",
        "scrypt$16$1$0$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAA==",
        "scrypt$16$1$1$!!!!$AAAAAAAAAAAAAAAAAAAAAA==", "scrypt$16$1$1$AAAAAAAAAAAAAAAAAAAAAA==$",
        "scrypt$-16$1$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAA==",
        "scrypt$16$1$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAA==$",
    ])
    func `a text that is no sane hash is refused`(text: String) {
        #expect(PasswordHash(text) == nil)
    }
}
