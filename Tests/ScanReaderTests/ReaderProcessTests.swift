import Domain
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
}
