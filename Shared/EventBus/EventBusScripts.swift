import Redis

/// Each is one atomic step; the file of the same name says what it does.
enum EventBusScripts {
    static let publish = RedisScript(name: "publish", source: PackageResources.publish_lua)
    static let memberBeat = RedisScript(name: "member_beat", source: PackageResources.member_beat_lua)
    static let acquire = RedisScript(name: "partition_acquire", source: PackageResources.partition_acquire_lua)
    static let renew = RedisScript(name: "partition_renew", source: PackageResources.partition_renew_lua)
    static let release = RedisScript(name: "partition_release", source: PackageResources.partition_release_lua)
    static let acknowledge = RedisScript(name: "acknowledge", source: PackageResources.acknowledge_lua)
    static let deadLetter = RedisScript(name: "dead_letter", source: PackageResources.dead_letter_lua)
    static let requeue = RedisScript(name: "dead_letter_requeue", source: PackageResources.dead_letter_requeue_lua)
    static let trim = RedisScript(name: "trim", source: PackageResources.trim_lua)
}
