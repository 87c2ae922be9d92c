import BlobStore
import Crypto
import Domain
import Foundation
import Testing

@Suite("Blobs")
struct BlobStoreTests {
    /// A store in a folder of its own, removed with it.
    private final class Folder: Sendable {
        let path = NSTemporaryDirectory() + "zhiyue-blobs-\(UUID().uuidString.prefix(8))"

        func store() throws -> BlobStore { try BlobStore(directory: path) }

        func files(in folder: String) -> [String] {
            let names = FileManager.default.enumerator(atPath: "\(path)/\(folder)")?.compactMap { $0 as? String } ?? []
            return names.filter { name in
                var isFolder: ObjCBool = false
                _ = FileManager.default.fileExists(atPath: "\(path)/\(folder)/\(name)", isDirectory: &isFolder)
                return !isFolder.boolValue
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private let folder = Folder()

    @Test("Bytes come back as they were stored, under the SHA-256 of them", arguments: [0, 1, 4096, 1_000_003])
    func roundTrip(_ count: Int) async throws {
        let store = try folder.store()
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let id = try await store.store(bytes)
        #expect(id == BlobID(SHA256.hash(data: bytes)))
        #expect(store.contains(id))
        #expect(try await store.read(id) == bytes)
        #expect(folder.files(in: "incoming").isEmpty)
    }

    @Test("What a killed process left behind goes when nobody has written to it for long")
    func strays() async throws {
        let store = try folder.store()
        let (old, fresh) = (store.temporaryPath(), store.temporaryPath())
        for path in [old, fresh] { try Data([1]).write(to: URL(filePath: path)) }
        let yesterday = Date(timeIntervalSinceNow: -86_500)
        try FileManager.default.setAttributes([.modificationDate: yesterday], ofItemAtPath: old)
        let blob = try await store.store([2])
        #expect(try await store.removeStrays() == 1)
        #expect(folder.files(in: "incoming").map { "\(folder.path)/incoming/\($0)" } == [fresh])
        #expect(try await store.removeStrays() == 0)
        #expect(store.contains(blob))
    }

    @Test("The name is the well-known digest")
    func name() async throws {
        let id = try await folder.store().store(Array("abc".utf8))
        #expect(id == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(id.isValid)
    }

    @Test("The same bytes are kept once, by whichever store they come")
    func sameBytes() async throws {
        let first = try await folder.store().store([1, 2, 3])
        let second = try await folder.store().store([1, 2, 3])
        #expect(first == second)
        #expect(folder.files(in: "blobs").count == 1)
    }

    @Test("Many who store the same bytes at once all succeed and leave one file")
    func concurrentStores() async throws {
        let bytes = [UInt8](repeating: 7, count: 300_000)
        let ids = try await withThrowingTaskGroup(of: BlobID.self) { group in
            for _ in 0..<32 {
                let store = try folder.store()
                group.addTask { try await store.store(bytes) }
            }
            return try await group.reduce(into: Set<BlobID>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        #expect(folder.files(in: "blobs").count == 1)
        #expect(folder.files(in: "incoming").isEmpty)
        #expect(try await folder.store().read(try #require(ids.first)) == bytes)
    }

    @Test("A received file is taken over, and let go when its content is there already")
    func ingest() async throws {
        let store = try folder.store()
        let bytes = Array("a page".utf8)
        let id = BlobID(SHA256.hash(data: bytes))
        for _ in 0..<2 {
            let path = store.temporaryPath()
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            try await store.ingest(fileAt: path, id: id)
            #expect(!FileManager.default.fileExists(atPath: path))
            #expect(try await store.read(id) == bytes)
        }
        #expect(folder.files(in: "blobs").count == 1)
        await #expect(throws: BlobStoreError.self) {
            try await store.ingest(fileAt: store.temporaryPath(), id: BlobID(SHA256.hash(data: [9])))
        }
    }

    @Test("A missing blob is told so, and so is a name that is none")
    func missing() async throws {
        let store = try folder.store()
        for id: BlobID in [BlobID(SHA256.hash(data: [5])), "", "../../etc/passwd", "ABC"] {
            #expect(!store.contains(id))
            let error = await #expect(throws: BlobStoreError.self) { try await store.read(id) }
            #expect(error?.code == .notFound)
        }
    }

    @Test("What is larger than the reader allows is refused, what is as large is read")
    func limit() async throws {
        let store = try folder.store()
        let id = try await store.store([UInt8](repeating: 1, count: 1000))
        #expect(try await store.read(id, limit: 1000).count == 1000)
        let error = await #expect(throws: BlobStoreError.self) { try await store.read(id, limit: 999) }
        #expect(error?.code == .tooLarge)
    }

    @Test("What a killed writer left behind is no blob and stops nobody")
    func strayFiles() async throws {
        let store = try folder.store()
        for _ in 0..<3 {
            try Data([1, 2]).write(to: URL(fileURLWithPath: store.temporaryPath()))
        }
        let id = try await store.store([1, 2])
        #expect(try await store.read(id) == [1, 2])
        #expect(folder.files(in: "blobs").count == 1)
        #expect(folder.files(in: "incoming").count == 3)
        #expect(Set((0..<1000).map { _ in store.temporaryPath() }).count == 1000)
    }

    @Test("A folder that cannot be used is told at the start")
    func unusableFolder() throws {
        let file = NSTemporaryDirectory() + "zhiyue-file-\(UUID().uuidString.prefix(8))"
        try Data().write(to: URL(fileURLWithPath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        let error = #expect(throws: BlobStoreError.self) { try BlobStore(directory: file) }
        #expect(error?.description.contains(file) == true)
        #expect(throws: BlobStoreError.self) { try BlobStore(directory: file + "/inside/it") }
    }
}
