-- Makes a replica the owner of a partition for a replay, unless a later one is; or prolongs that.
-- KEYS[1] owner; ARGV[1] token, ARGV[2] milliseconds, ARGV[3] '1' when it was claimed just now
-- Returns 1, or 0 when somebody else owns it by now, or nobody: the replay was cancelled.
local function fence(token)
    return tonumber(string.match(token, ' (%d+)$') or 0)
end
local owner = redis.call('GET', KEYS[1])
if ARGV[3] == '1' then
    if owner and fence(owner) > fence(ARGV[1]) then
        return 0
    end
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return 1
end
if owner ~= ARGV[1] then
    return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
