#!lua flags=allow-oom
-- Takes a partition whose owner is still the one the caller has seen to be gone.
-- KEYS[1] owner, KEYS[2] counter of fencing tokens, KEYS[3] stream, KEYS[4] replicas that may still be reading,
-- KEYS[5] until when each group counts as live
-- ARGV[1] replica, ARGV[2] milliseconds of the lease, ARGV[3] the owner seen ('' for none), ARGV[4] group,
-- ARGV[5] where a group that is new begins: '0' or '$', ARGV[6] milliseconds a group lives without a sign
-- Returns {new token, other replicas that may still be reading …}, or false when somebody else was faster.
local owner = redis.call('GET', KEYS[1]) or ''
if owner ~= ARGV[3] then
    return false
end
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[3])
local known = false
if not groups.err then
    for _, group in ipairs(groups) do
        if group[2] == ARGV[4] then
            known = true
        end
    end
end
if not known then
    redis.call('XGROUP', 'CREATE', KEYS[3], ARGV[4], ARGV[5], 'MKSTREAM')
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[5], ARGV[4], string.format('%.0f', now + ARGV[6]))
local token = ARGV[1] .. ' ' .. redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], token, 'PX', ARGV[2])
-- Kept until each has released the partition or was cut off: an owner in between may have died before it did so.
redis.call('SADD', KEYS[4], ARGV[1])
local result = { token }
for _, reader in ipairs(redis.call('SMEMBERS', KEYS[4])) do
    if reader ~= ARGV[1] then
        result[#result + 1] = reader
    end
end
return result
