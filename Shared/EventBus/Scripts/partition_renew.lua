-- Prolongs the lease of a partition.
-- KEYS[1] owner; ARGV[1] token, ARGV[2] milliseconds of the lease
-- Returns 1, or 0 when the token is no longer valid.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
