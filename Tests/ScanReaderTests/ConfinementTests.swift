import CSandbox
import Domain
import Glibc
import Testing

@testable import ScanReader

/// What a captured child can do, tried by one. The children of the system are of four kinds.
@Suite struct ConfinementTests {
    enum Kind: CaseIterable {
        /// `ocr-reader`: confines itself before the first image.
        case reader
        /// poppler's programs: confined before they start.
        case pdf
        /// `sheet-printer`: confines itself once it has its job.
        case printer
        /// `scan-unpacker`: confines itself before it looks at the archive.
        case unpacker
    }

    @Test(arguments: Kind.allCases)
    func `a captured process can compute and read libraries, and nothing else`(kind: Kind) async throws {
        let outcomes = try await attempts(kind)
        var expected = ["append_file", "kill_parent", "spawn", "shared_memory"].reduce(into: [:]) { $0[$1] = EPERM }
        expected["execute"] = kind == .pdf ? EACCES : EPERM
        expected["private_memory"] = ENOMEM
        for (name, error) in expected { #expect(outcomes[name] == "\(error)", "\(name)") }
        for name in ["read_parent_memory", "read_parent_environment", "read_parent_descriptors", "read_passwords"] {
            #expect(outcomes[name] == "\(EACCES)" || sandbox_landlock_version() == 0, "\(name)")
        }
        let values = [
            "read_library": "done", "thread": "done", "secret": "absent", "descriptors": "0", "open_files": "below 64",
            "file_size": "0", "core_size": "0",
        ]
        for (name, value) in values { #expect(outcomes[name] == value, "\(name)") }

        let calls = outcomes.filter { $0.key.hasPrefix("call: ") }
        // Of these the C library tries the newer first, and must believe that it is not there.
        let unknown = ["new process", "new open", "memory file", "a call of the future"].map { "call: \($0)" }
        #expect(calls.count > 40)
        for (name, outcome) in calls {
            #expect(outcome == "\(unknown.contains(name) ? ENOSYS : EPERM)", "\(name)")
        }
    }

    #if arch(x86_64)
        @Test(arguments: ["32bit", "x32"])
        func `a call by another numbering ends the process`(word: String) async throws {
            try await withHostileReader { reader in
                let failure = await failure { () throws(ReadingFailure) in try await reader.values(order(word)) }
                #expect(failure?.code == .readerCrashed)
                // A kernel without 32-bit calls does not get as far as the filter.
                let signals = word == "x32" ? [SIGSYS] : [SIGSYS, SIGSEGV]
                #expect(
                    signals.contains { failure?.message.contains("signal \($0))") == true }, "\(failure?.message ?? "")"
                )
            }
        }
    #endif

    @Test func `a process that ignores the end of its processor time is ended`() throws {
        let process = try ConfinedProcess(
            command("spin", .init(addressSpace: 4 << 30, data: 1 << 30, processorSeconds: 1)))
        let (_, exit, _) = try process.receiveAll(limit: 1, until: .now + .seconds(120))
        #expect(exit == .signalled(SIGKILL))
    }

    @Test func `a child goes first when memory runs out`() throws {
        let process = try ConfinedProcess(
            ConfinedCommand(
                path: builtExecutable("HostileReader"),
                limits: .init(addressSpace: 4 << 30, data: 1 << 30, processorSeconds: 10)))
        let score = try BoundedFile.read("/proc/\(process.processID)/oom_score_adj", limit: 16)
        #expect(String(decoding: score, as: UTF8.self) == "1000\n")
    }

    private func attempts(_ kind: Kind) async throws -> [String: String] {
        switch kind {
        case .reader: return try await withHostileReader { try await $0.values(order("attempt")) }
        case .pdf:
            var command = PDFTools(resolution: 200, maxPixels: 1_000_000).command("pdftocairo", [], .bytes([]))
            command.environment.append("HOSTILE_ORDER=attempt")
            command.path = builtExecutable("HostileReader")
            // The libraries of this build are not where a system's are.
            command.readable = (command.readable ?? []) + (try loadedFolders())
            return try outcomes(command)
        case .unpacker:
            var command = command("confine", .init(addressSpace: 2 << 30, data: 256 << 20, processorSeconds: 120))
            command.input = .file(try Samples.file([0]))
            return try outcomes(command)
        case .printer:
            return try outcomes(
                command("confine", .init(addressSpace: 2 << 30, data: 768 << 20, processorSeconds: 60)))
        }
    }

    private func command(_ order: String, _ limits: ConfinedCommand.Limits) -> ConfinedCommand {
        ConfinedCommand(
            path: builtExecutable("HostileReader"), environment: ["HOSTILE_ORDER=\(order)"], limits: limits,
            input: .bytes([]))
    }

    private func outcomes(_ command: ConfinedCommand) throws -> [String: String] {
        let process = try ConfinedProcess(command)
        let (output, exit, errors) = try process.receiveAll(limit: 1 << 20, until: .now + .seconds(60))
        #expect(exit == .exited(0), "\(errors)")
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n")
        return Dictionary(
            uniqueKeysWithValues: lines.compactMap { line in
                line.lastIndex(of: "=").map { (String(line[..<$0]), String(line[line.index(after: $0)...])) }
            })
    }

    /// Where the child's libraries are.
    private func loadedFolders() throws -> [String] {
        let limits = ConfinedCommand.Limits(addressSpace: 4 << 30, data: 1 << 30, processorSeconds: 10)
        let process = try ConfinedProcess(command("map", limits))
        let (map, _, _) = try process.receiveAll(limit: 1 << 20, until: .now + .seconds(60))
        let paths = String(decoding: map, as: UTF8.self).split(separator: "\n").compactMap { line in
            line.firstIndex(of: "/").map { SiblingProgram.parent(of: String(line[$0...])) }
        }
        return Array(Set(paths))
    }
}
