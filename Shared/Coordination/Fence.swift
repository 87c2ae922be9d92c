/// Tells the holders of a lock apart: each later one has a greater number.
///
/// A holder that was stopped for longer than its lease does not know that it has a successor. What it does must
/// therefore be checked where it takes effect. A script that begins with `prelude` refuses a former holder once its
/// successor has been there:
///
///     RedisScript(name: "report", source: Fence.prelude + PackageResources.report_lua)
///
///     if fence.is_stale() then return 'STALE' end
///
/// Its first key is where the effect remembers the greatest fence it has seen, in the slot of its other keys; its first
/// argument is `number`.
package struct Fence: Sendable, Hashable {
    /// The lock's name.
    package let lock: String
    /// Rises with every holder, from 1.
    package let number: Int

    package init(lock: String, number: Int) {
        self.lock = lock
        self.number = number
    }

    /// Defines `fence.is_stale()`.
    package static let prelude: [UInt8] = PackageResources.fence_lua
}
