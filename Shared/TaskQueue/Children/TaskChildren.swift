/// How the children of a task are doing.
package struct TaskChildren: Codable, Sendable, Equatable {
    package var total: Int
    /// Those that have not ended.
    package var open: Int
    package var failed: Int
    package var cancelled: Int

    /// The share that has ended, 0 to 1.
    var fraction: Double { total > 0 ? Double(total - min(open, total)) / Double(total) : 1 }

    /// For people.
    var message: String { "\(total - min(open, total)) of \(total)" }
}
