import Redis

/// The scripts of the queue. Each runs as `main()` behind the clock and what all of them share, and `settle()` ends it.
struct QueueScripts: Sendable {
    let submit: RedisScript
    let claim: RedisScript
    let heartbeat: RedisScript
    let complete: RedisScript
    let fail: RedisScript
    let release: RedisScript
    let reap: RedisScript
    let cancel: RedisScript
    let retry: RedisScript
    let pause: RedisScript
    let purge: RedisScript
    let statistics: RedisScript
    let list: RedisScript
    let metrics: RedisScript
    let limit: RedisScript
    let schedule: RedisScript
    let adopt: RedisScript
    let fanIn: RedisScript

    /// - Parameter clock: Lua that defines `now_us`, the time in microseconds; tests set their own.
    init(clock: [UInt8] = PackageResources.clock_lua) {
        func script(_ name: String, _ source: [UInt8]) -> RedisScript {
            RedisScript(
                name: "queue.\(name)",
                source: clock + PackageResources.common_lua + Array("local function main()\n".utf8) + source
                    + Array("\nend\nlocal reply = main()\nsettle()\nreturn reply\n".utf8))
        }
        submit = script("submit", PackageResources.submit_lua)
        claim = script("claim", PackageResources.claim_lua)
        heartbeat = script("heartbeat", PackageResources.heartbeat_lua)
        complete = script("complete", PackageResources.complete_lua)
        fail = script("fail", PackageResources.fail_lua)
        release = script("release", PackageResources.release_lua)
        reap = script("reap", PackageResources.reap_lua)
        cancel = script("cancel", PackageResources.cancel_lua)
        retry = script("retry", PackageResources.retry_lua)
        pause = script("pause", PackageResources.pause_lua)
        purge = script("purge", PackageResources.purge_lua)
        statistics = script("statistics", PackageResources.statistics_lua)
        list = script("list", PackageResources.list_lua)
        metrics = script("metrics", PackageResources.metrics_lua)
        limit = script("limit", PackageResources.limit_lua)
        schedule = script("schedule", PackageResources.schedule_lua)
        adopt = script("adopt", PackageResources.adopt_lua)
        fanIn = script("fan_in", PackageResources.fan_in_lua)
    }
}
