import Domain
import Testing

@testable import ExamStore

@Suite("What is made of exams")
struct ExamCacheTests {
    @Test("A record is decoded once, and again when it is another one")
    func onlyOnce() {
        let cache = Self.cache()
        var decoded = 0
        func look(_ id: ExamID, _ record: String) -> Exam {
            cache.value(id, of: Array(record.utf8)) {
                decoded += 1
                return Self.exam(id, title: record)
            }
        }
        #expect(look("a", "one").title == "one")
        #expect(look("a", "one").title == "one")
        #expect(look("b", "one").id == "b")
        #expect(decoded == 2)
        #expect(look("a", "two").title == "two")
        #expect(look("a", "one").title == "one")
        #expect(decoded == 4)
    }

    @Test("No more records are kept than their bytes allow, and one that is too large is still decoded")
    func bounded() {
        let cache = Self.cache(maxBytes: 10)
        var decoded = 0
        func look(_ id: ExamID, bytes: Int) {
            _ = cache.value(id, of: [UInt8](repeating: 1, count: bytes)) {
                decoded += 1
                return Self.exam(id, title: "")
            }
        }
        for _ in 0..<2 { for id: ExamID in ["a", "b"] { look(id, bytes: 5) } }
        #expect(decoded == 2)
        // Its room is that of the others.
        look("c", bytes: 5)
        look("c", bytes: 5)
        #expect(decoded == 3)
        look("a", bytes: 5)
        #expect(decoded == 4)
        for _ in 0..<2 { look("d", bytes: 11) }
        #expect(decoded == 6)
    }

    @Test("An exam that cannot be decoded is not remembered")
    func failing() {
        struct Failure: Error {}
        let cache = Self.cache()
        for _ in 0..<2 {
            #expect(throws: Failure.self) { try cache.value("a", of: [1]) { throw Failure() } }
        }
        #expect(cache.value("a", of: [1]) { Self.exam("a", title: "x") }.title == "x")
    }

    private static func cache(maxBytes: Int = 4 << 20) -> ExamCache<[UInt8], Exam> {
        ExamCache(maxBytes: maxBytes) { record, _ in record.count }
    }

    private static func exam(_ id: ExamID, title: String) -> Exam {
        Exam(
            id: id, draft: ExamDraft(title: title, subject: "", studentIDDigits: 8, questions: []), owner: "o",
            createdAt: .now, updatedAt: .now, version: 1, keyVersion: 1)
    }
}
