-- Makes a replica the owner of a partition for a replay, unless a later one is.
-- KEYS[1] owner; ARGV[1] token, ARGV[2] milliseconds
-- Returns 1, or 0 when a later claim owns it.
local function fence(token)
    return tonumber(string.match(token, ' (%d+)$') or 0)
end
local owner = redis.call('GET', KEYS[1])
if owner and fence(owner) > fence(ARGV[1]) then
    return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
