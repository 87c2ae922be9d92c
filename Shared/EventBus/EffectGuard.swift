package import Redis

/// Makes an effect happen once, although its event may be delivered several times and a former owner of the partition
/// may still be running.
///
/// A script whose keys are in the event's partition is made of the prelude and its own source, and begins with the
/// guard's keys and arguments:
///
///     RedisScript(name: "count_sheet", source: EffectGuard.prelude + PackageResources.count_sheet_lua)
///
///     local refused = effect_guard.check()   -- 'STALE', 'APPLIED' or nil
///     if refused then return refused end
///     redis.call('HINCRBY', KEYS[3], 'sheets', ARGV[4])
///     effect_guard.record()
///     return 'OK'
///
///     let reply = try await client.evaluate(
///         script, keys: context.effectGuard.keys + [counters], arguments: context.effectGuard.arguments + [1])
///     try context.effectGuard.wasApplied(reply)
///
/// The script's own keys begin at `KEYS[3]` and its arguments at `ARGV[4]`. One guard covers one script per event: a
/// handler that runs several takes a guard for each by `step(_:)`.
package struct EffectGuard: Sendable {
    /// Defines `effect_guard.check()` and `effect_guard.record()`.
    package static let prelude: [UInt8] = PackageResources.effect_guard_lua

    package static let keyCount = 2
    package static let argumentCount = 3

    let ownerKey: String
    let appliedKey: String
    let fence: String
    let field: String
    let position: StreamPosition

    package var keys: [String] { [ownerKey, appliedKey] }

    package var arguments: [any RedisArgument] { [fence, field, position.description] }

    /// A guard of its own for one of several scripts a handler runs per event.
    package func step(_ name: String) -> EffectGuard {
        EffectGuard(
            ownerKey: ownerKey, appliedKey: appliedKey, fence: fence, field: "\(field)/\(name)", position: position)
    }

    /// - Parameter reply: of a guarded script.
    /// - Returns: false when the effect had been made before.
    /// - Throws: `EventBusError` of code `.staleOwner`, which the handler passes on.
    @discardableResult
    package func wasApplied(_ reply: RESPValue) throws(EventBusError) -> Bool {
        switch reply.string {
        case "STALE":
            throw EventBusError(.staleOwner, "The partition has another owner than \(fence) by now")
        case "APPLIED":
            return false
        default:
            return true
        }
    }
}
