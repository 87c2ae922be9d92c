-- Prepended to the script of every effect made under a lock; see Fence.swift.
-- KEYS[1] greatest fence this effect has seen; ARGV[1] fence of the caller
local fence = {}

-- Whether the caller's lock was taken over by a later holder who has been here already. Remembers the caller's fence.
function fence.is_stale()
    local newest = tonumber(redis.call('GET', KEYS[1]) or '0')
    if tonumber(ARGV[1]) < newest then
        return true
    end
    redis.call('SET', KEYS[1], ARGV[1])
    return false
end
