-- Gives a partition up. Somebody else's lease is left alone.
-- KEYS[1] owner, KEYS[2] replicas that may still be reading; ARGV[1] token, ARGV[2] replica
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
redis.call('SREM', KEYS[2], ARGV[2])
return redis.call('DEL', KEYS[1])
