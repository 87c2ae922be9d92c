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
            let first = try TokenSecret.load(secret: nil, directory: directory)
            let second = try TokenSecret.load(secret: "", directory: directory)
            #expect(first.bytes == second.bytes)
            #expect(first.bytes.count == 64)
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory)/jwt-secret")
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["jwt-secret"])
        }
    }

    @Test func `a secret from the environment goes before the file`() throws {
        try withDirectory { directory in
            let secret = String(repeating: "s", count: 32)
            let loaded = try TokenSecret.load(secret: secret, directory: directory)
            #expect(loaded.bytes == Array(secret.utf8))
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
        }
    }

    @Test func `many processes at once agree on one secret`() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let secrets = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<32 { group.addTask { try TokenSecret.load(secret: nil, directory: directory).bytes } }
            return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
        }
        #expect(secrets.count == 1)
    }

    @Test func `a short secret is refused`() {
        #expect(throws: TokenSecretError.self) { try TokenSecret("short") }
    }

    @Test func `a missing directory is an error that names the file`() {
        let error = #expect(throws: TokenSecretError.self) {
            try TokenSecret.load(secret: nil, directory: "/nowhere")
        }
        #expect(error?.description.contains("/nowhere/jwt-secret") == true)
    }

    @Test func `a secret never shows in a description`() throws {
        let secret = try TokenSecret(String(repeating: "s", count: 32))
        #expect("\(secret)" == "TokenSecret(32 bytes)")
    }
}
