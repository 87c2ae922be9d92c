-- Gives a lock back. Somebody else's is left alone.
-- KEYS[1] holder; ARGV[1] holder's name
if redis.call('HGET', KEYS[1], 'name') ~= ARGV[1] then
    return 0
end
return redis.call('DEL', KEYS[1])
