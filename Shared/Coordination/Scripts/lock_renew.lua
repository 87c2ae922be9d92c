#!lua flags=allow-oom
-- Prolongs a lease that has not ended.
-- KEYS[1] holder; ARGV[1] holder's name, ARGV[2] milliseconds of the lease
-- Returns 1, or 0 when the lock is somebody else's or nobody's.
if redis.call('HGET', KEYS[1], 'name') ~= ARGV[1] then
    return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
