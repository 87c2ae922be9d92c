import CSandbox
import Domain
import Glibc
import Testing

@testable import ScanReader

@Suite struct ReaderProcessTests {
    @Test func `one process reads page after page and keeps the layout`() async throws {
        try await withHostileReader { reader in
            let first = try await reader.values(order("echo"))
            let second = try await reader.values(order("echo"))
            #expect(first["layout_pages"] == "1")
            #expect(first == second)
        }
    }

    @Test func `a failure of the image leaves the process alone`() async throws {
        try await withHostileReader { reader in
            let before = try await reader.values(order("echo"))["process"]
            let failure = await failure { () throws(ReadingFailure) in try await reader.values(order("refuse")) }
            #expect(failure == ReadingFailure(.noSheetFound, "nothing here"))
            let after = try await reader.values(order("echo"))["process"]
            #expect(after == before)
        }
    }

    @Test(arguments: ["trap", "leave", "allocate", "babble"])
    func `a process that breaks fails its image alone`(word: String) async throws {
        try await withHostileReader(memoryLimit: 200 << 20) { reader in
            let before = try await reader.values(order("echo"))["process"]
            let failure = await failure { () throws(ReadingFailure) in try await reader.values(order(word)) }
            #expect(failure?.code == .readerCrashed)
            let after = try await reader.values(order("echo"))["process"]
            #expect(after != nil && after != before)
        }
    }

    @Test(arguments: ["hang", "spin"])
    func `a process that does not answer is stopped at the deadline`(word: String) async throws {
        try await withHostileReader(deadline: .seconds(2)) { reader in
            let failure = await failure { () throws(ReadingFailure) in try await reader.values(order(word)) }
            #expect(failure?.code == .timedOut)
            let next = try await reader.values(order("echo"))
            #expect(next["layout_pages"] == "1")
        }
    }

    @Test func `a captured process can compute and read libraries, and nothing else`() async throws {
        let refused = String(EPERM)
        let values = try await withHostileReader { try await $0.values(order("attempt")) }
        for attempt in [
            "socket", "unix_socket", "execute", "spawn", "write_file", "append_file", "make_directory", "kill_parent",
            "raise_limit",
        ] {
            #expect(values[attempt] == refused, "\(attempt)")
        }
        for attempt in ["read_parent_memory", "read_parent_environment", "read_passwords"] {
            #expect(values[attempt] == String(EACCES) || sandbox_landlock_version() == 0, "\(attempt)")
        }
        #expect(values["read_library"] == "done")
        #expect(values["thread"] == "done")
        #expect(values["descriptors"] == "0")
        #expect(values["secret"] == "absent")
    }
}
