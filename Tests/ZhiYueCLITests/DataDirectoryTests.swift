import Foundation
import Testing

@testable import ZhiYueCLI

@Suite struct DataDirectoryTests {
    @Test("A folder of a system with a private Redis admits no second system")
    func exclusive() throws {
        let temporary = try TemporaryDirectory()
        let first = try DataDirectory(path: temporary.path + "/a/b", sharing: .exclusive)
        for sharing in [DataDirectory.Sharing.exclusive, .shared] {
            let error = #expect(throws: CommandFailure.self) {
                _ = try DataDirectory(path: first.path, sharing: sharing)
            }
            #expect(error?.description.contains("is in use by another zhiyue") == true)
        }
        #expect(first.slot == 1)
    }

    @Test("Systems that share a Redis share the folder, each with its own slot and logs")
    func shared() throws {
        let temporary = try TemporaryDirectory()
        let first = try DataDirectory(path: temporary.path, sharing: .shared)
        let second = try DataDirectory(path: temporary.path, sharing: .shared)
        #expect(first.slot == 1)
        #expect(second.slot == 2)
        #expect(first.logDirectory != second.logDirectory)
    }

    @Test("The folder is free again when its system is gone")
    func released() throws {
        let temporary = try TemporaryDirectory()
        var directory: DataDirectory? = try DataDirectory(path: temporary.path, sharing: .exclusive)
        #expect(directory?.slot == 1)
        directory = nil
        #expect(try DataDirectory(path: temporary.path, sharing: .exclusive).slot == 1)
    }

    @Test("The administrator's password is made once, strong, and readable by its owner only")
    func password() throws {
        let temporary = try TemporaryDirectory()
        let path = temporary.path + "/admin-password"
        let password = try #require(try AdminPassword.create(at: path))
        #expect(password.count == 20)
        #expect(try AdminPassword.create(at: path) == nil)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == password + "\n")
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == ["admin-password"])
    }
}
