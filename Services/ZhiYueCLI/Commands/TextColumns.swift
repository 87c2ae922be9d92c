/// Lines of a table whose rows come one by one.
struct TextColumns {
    /// Characters of each column; the last has no width.
    let widths: [Int]

    func line(_ cells: [String]) -> String {
        let last = cells.count - 1
        return cells.enumerated().map { index, cell in
            guard index < last, index < widths.count else { return cell }
            return cell + String(repeating: " ", count: max(1, widths[index] - cell.count))
        }.joined()
    }
}
