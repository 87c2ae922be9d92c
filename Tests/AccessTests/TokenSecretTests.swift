import Foundation
import Testing

@testable import Access

@Suite struct TokenSecretTests {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory)
    }

    @Test func `the secret is made once, kept, and readable by its owner alone`() throws {
        try withDirectory { directory in
            let first = try TokenSecretSource(secret: nil, directory: directory).load()
            let second = try TokenSecretSource(secret: "", directory: directory).load()
            #expect(first.map(\.bytes) == second.map(\.bytes))
            #expect(first.map(\.bytes.count) == [64])
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory)/jwt-secret")
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["jwt-secret"])
        }
    }

    @Test func `a secret from the environment goes before the file`() throws {
        try withDirectory { directory in
            let secret = String(repeating: "s", count: 32)
            let former = String(repeating: "f", count: 32)
            let loaded = try TokenSecretSource(secret: secret, previous: former, directory: directory).load()
            #expect(loaded.map(\.bytes) == [Array(secret.utf8), Array(former.utf8)])
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
        }
    }

    @Test func `many processes at once agree on one secret`() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let secrets = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<32 {
                group.addTask { try TokenSecretSource(secret: nil, directory: directory).load()[0].bytes }
            }
            return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
        }
        #expect(secrets.count == 1)
    }

    @Test func `rotation puts a new secret in front and keeps as many former ones as it is told`() throws {
        try withDirectory { directory in
            let source = try TokenSecretSource(secret: nil, directory: directory)
            let first = try source.load()[0]
            let stamp = source.file.stamp
            let rotated = try source.file.rotate(keeping: 1)
            #expect(rotated.count == 2)
            #expect(rotated[1].bytes == first.bytes)
            #expect(rotated[0].bytes != first.bytes)
            #expect(rotated[0].keyID != first.keyID)
            #expect(source.file.stamp != stamp)
            #expect(try source.load().map(\.bytes) == rotated.map(\.bytes))
            for _ in 0..<10 { _ = try source.file.rotate(keeping: 100) }
            #expect(try source.load().count == TokenSecretFile.maxSecrets)
            #expect(try source.file.rotate(keeping: 0).count == 1)
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory)/jwt-secret")
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["jwt-secret"])
        }
    }

    @Test(arguments: ["", "\n\n", "short", "0123456789abcdef0123456789abcdef\nshort"])
    func `a file without a whole secret a line is refused`(content: String) throws {
        try withDirectory { directory in
            try content.write(toFile: "\(directory)/jwt-secret", atomically: true, encoding: .utf8)
            #expect(throws: TokenSecretError.self) {
                try TokenSecretSource(secret: nil, directory: directory).load()
            }
        }
    }

    @Test func `a short secret is refused`() {
        #expect(throws: TokenSecretError.self) { try TokenSecret("short") }
    }

    @Test func `a missing directory is an error that names the file`() {
        let error = #expect(throws: TokenSecretError.self) {
            try TokenSecretSource(secret: nil, directory: "/nowhere").load()
        }
        #expect(error?.description.contains("/nowhere/jwt-secret") == true)
    }

    @Test func `a secret never shows in a description`() throws {
        let secret = try TokenSecret(String(repeating: "s", count: 32))
        #expect("\(secret)" == "TokenSecret(32 bytes)")
    }
}
