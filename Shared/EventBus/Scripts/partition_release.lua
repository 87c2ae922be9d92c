-- Gives a partition up. Somebody else's lease is left alone.
-- KEYS[1] owner; ARGV[1] token
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
return redis.call('DEL', KEYS[1])
