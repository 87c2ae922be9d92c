import Foundation

/// A certificate for a name, that only itself vouches for, made by the `openssl` command.
package final class Certificate {
    struct Failure: Error {}

    private let directory: URL
    package var file: String { directory.appendingPathComponent("cert.pem").path }
    package var keyFile: String { directory.appendingPathComponent("key.pem").path }

    package static let canBeMade = (try? Certificate()) != nil

    package init(for name: String = "localhost") throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2", "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name)", "-keyout", keyFile, "-out", file,
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure() }
    }

    deinit {
        try? FileManager.default.removeItem(at: directory)
    }
}
