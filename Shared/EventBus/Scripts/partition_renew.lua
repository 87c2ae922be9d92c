#!lua flags=allow-oom
-- Prolongs the lease of a partition, and shows that its group is in use.
-- KEYS[1] owner, KEYS[2] until when each group counts as live
-- ARGV[1] token, ARGV[2] milliseconds of the lease, ARGV[3] group, ARGV[4] milliseconds a group lives without a sign
-- Returns 1, or 0 when the token is no longer valid.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[2], ARGV[3], string.format('%.0f', now + ARGV[4]))
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
