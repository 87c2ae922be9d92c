import Coordination
import Redis

/// Each is one atomic step; the file of the same name says what it does.
enum EventBusScripts {
    static let publish = RedisScript(name: "publish", source: PackageResources.publish_lua)
    static let publishLarge = RedisScript(name: "publish_large", source: PackageResources.publish_large_lua)
    static let publishPeriodic = RedisScript(
        name: "publish_periodic", source: Fence.prelude + PackageResources.publish_periodic_lua)
    static let memberBeat = RedisScript(name: "member_beat", source: PackageResources.member_beat_lua)
    static let acquire = RedisScript(name: "partition_acquire", source: PackageResources.partition_acquire_lua)
    static let renew = RedisScript(name: "partition_renew", source: PackageResources.partition_renew_lua)
    static let release = RedisScript(name: "partition_release", source: PackageResources.partition_release_lua)
    static let acknowledge = RedisScript(name: "acknowledge", source: PackageResources.acknowledge_lua)
    static let deadLetter = RedisScript(name: "dead_letter", source: PackageResources.dead_letter_lua)
    static let requeue = RedisScript(name: "dead_letter_requeue", source: PackageResources.dead_letter_requeue_lua)
    static let trim = RedisScript(name: "trim", source: PackageResources.trim_lua)
    static let replayClaim = RedisScript(name: "replay_claim", source: PackageResources.replay_claim_lua)
    static let replayFence = RedisScript(name: "replay_fence", source: PackageResources.replay_fence_lua)
    static let replayCheckpoint = RedisScript(
        name: "replay_checkpoint", source: PackageResources.replay_checkpoint_lua)
    static let replayCancel = RedisScript(name: "replay_cancel", source: PackageResources.replay_cancel_lua)
}
