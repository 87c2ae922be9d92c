internal import Domain
internal import ExamStore

/// Goes through all sheets of an exam in order of upload, holding some at a time.
struct SheetScan {
    /// Sheets in memory at once, read concurrently.
    private static let atOnce = 50

    let store: ExamStore
    let exam: ExamID

    /// - Parameter body: is not called for sheets that are joined to others.
    func each(_ body: (Sheet) -> Void) async throws {
        var cursor: String?
        repeat {
            let page = try await store.sheets(exam: exam, status: nil, cursor: cursor, limit: Self.atOnce)
            for sheet in try await sheets(page.items.map(\.id)) { body(sheet) }
            cursor = page.nextCursor
            try Task.checkCancellation()
        } while cursor != nil
    }

    private func sheets(_ ids: [SheetID]) async throws -> [Sheet] {
        let store = store
        let found = try await withThrowingTaskGroup(of: (Int, Sheet?).self) { group in
            for (index, id) in ids.enumerated() {
                group.addTask { (index, try await store.sheet(id)) }
            }
            var sheets = [Sheet?](repeating: nil, count: ids.count)
            for try await (index, sheet) in group { sheets[index] = sheet }
            return sheets
        }
        // One may have been joined to another since the page was listed.
        return found.compactMap(\.self).filter { $0.joinedTo == nil }
    }
}
