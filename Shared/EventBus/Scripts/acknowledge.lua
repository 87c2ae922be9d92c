-- Acknowledges events of a partition that is still owned.
-- KEYS[1] owner, KEYS[2] stream; ARGV[1] token, ARGV[2] group, ARGV[3…] positions
-- Returns how many were pending, or 'STALE'.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 'STALE'
end
return redis.call('XACK', KEYS[2], ARGV[2], unpack(ARGV, 3))
