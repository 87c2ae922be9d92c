import Testing

@testable import Domain

@Suite("Identifiers")
struct IdentifierTests {
    @Test("A sheet's identifier tells its exam")
    func sheetExam() {
        let exam = ExamID.make()
        #expect(exam.isValid)
        #expect(SheetID.make(exam: exam).examID == exam)
        #expect(SheetID(exam: exam, unique: "\(String(repeating: "a", count: 32))-1").examID == exam)
    }

    @Test(
        "A hostile sheet identifier names no exam",
        arguments: [
            "", ".", "..", "a", "a.", ".a", "a.b.c", "a/../b.c", "a.b/c", "{p1}.x", "a.{p1}", "a .b", "a.b ",
            "a\n.b", "a.b\n", "a\0.b", "é.b", "a.é", "a.b\u{301}", "a\u{301}.b", "a*.b", "a:b.c", "a.b:c", "a．b",
            "a.b\r\nDEL x", "%2e.b",
        ])
    func hostileSheets(_ text: String) {
        #expect(SheetID(text).examID == nil)
    }

    @Test("Identifiers have limits of length")
    func lengths() {
        let long = String(repeating: "x", count: 64)
        #expect(ExamID(long).isValid)
        #expect(!ExamID(long + "x").isValid)
        #expect(SheetID("\(long).\(long)").examID == ExamID(long))
        #expect(SheetID("\(long)x.\(long)").examID == nil)
        #expect(SheetID("\(long).\(long)x").examID == nil)
        #expect(!UserID("").isValid)
        #expect(UserID("li.wei@school-1").isValid)
        #expect(!UserID("li wei").isValid)
        #expect(!UserID("李").isValid)
    }

    @Test(
        "A blob's name is 64 lower-case hexadecimal digits",
        arguments: [
            (String(repeating: "0a", count: 32), true), (String(repeating: "0A", count: 32), false),
            (String(repeating: "0a", count: 31), false), ("../" + String(repeating: "a", count: 61), false),
            (String(repeating: "0a", count: 32) + "0", false),
        ])
    func blobs(_ text: String, _ isValid: Bool) {
        #expect(BlobID(text).isValid == isValid)
    }

    @Test("The same work has the same task identifier, and other work another")
    func tasks() {
        #expect(OCRTask(sheetID: "e.s", blob: "b", filePage: 1).taskID == "ocr:e.s")
        #expect(GradingTask(sheetID: "e.s", readingVersion: 2, keyVersion: 3).taskID == "grade:e.s:r2:k3")
        #expect(BatchTask(kind: .remark, examID: "e", keyVersion: 3).taskID == "remark:e:k3")
        #expect(ReportTask(kind: .resultsCSV, examID: "e", resultsVersion: 9).taskID == "results_csv:e:v9")
        let long = String(repeating: "x", count: 64)
        let longest = GradingTask(sheetID: SheetID("\(long).\(long)"), readingVersion: .max, keyVersion: .max)
        #expect(longest.taskID.isValid)
        #expect(Set(TaskCatalog.all.map { $0.type }).count == TaskCatalog.all.count)
        #expect(TaskCatalog.all.allSatisfy { $0.type.isValid })
    }
}
