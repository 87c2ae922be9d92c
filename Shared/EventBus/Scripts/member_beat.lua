#!lua flags=allow-oom
-- Shows that a replica lives; forgets those that no longer do.
-- KEYS[1] members of the group
-- ARGV[1] replica, ARGV[2] milliseconds a replica counts as live after its last beat, ARGV[3] '1' when it is leaving
-- Returns the live replicas; those that are leaving with a '-' before their name.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local leaving = '-' .. ARGV[1]
if ARGV[3] == '1' then
    redis.call('ZREM', KEYS[1], ARGV[1])
    redis.call('ZADD', KEYS[1], now, leaving)
else
    redis.call('ZADD', KEYS[1], now, ARGV[1])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, -1)
