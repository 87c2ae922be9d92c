#!lua flags=allow-oom
-- Takes a lock that nobody holds.
-- KEYS[1] holder, KEYS[2] counter of fences; ARGV[1] holder's name, new at every try, ARGV[2] milliseconds of the lease
-- Returns {fence, 0}, or {0, milliseconds until the present lease ends}.
local holder = redis.call('HMGET', KEYS[1], 'name', 'fence')
if holder[1] == ARGV[1] then
    -- A repeat after a lost reply.
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return { tonumber(holder[2]), 0 }
end
if holder[1] then
    return { 0, math.max(redis.call('PTTL', KEYS[1]), 1) }
end
-- The counter outlives every lease: a later holder always has a greater fence.
local fence = redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[1], 'name', ARGV[1], 'fence', fence)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { fence, 0 }
