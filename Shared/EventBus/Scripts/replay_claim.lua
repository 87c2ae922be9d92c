-- Takes a replay that nobody runs: it waits, or the lease of the replica that ran it is over.
-- KEYS[1] replay; ARGV[1] member, ARGV[2] milliseconds of the lease
-- Returns the token, with a new fence; false when there is nothing to take.
local state = redis.call('HGET', KEYS[1], 'state')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(redis.call('HGET', KEYS[1], 'lease') or 0)
if state ~= 'waiting' and not (state == 'running' and lease < now) then
    return false
end
local token = ARGV[1] .. ' ' .. redis.call('HINCRBY', KEYS[1], 'fence', 1)
redis.call('HSET', KEYS[1], 'state', 'running', 'token', token, 'lease', string.format('%.0f', now + ARGV[2]))
redis.call('HSETNX', KEYS[1], 'started', string.format('%.0f', now))
return token
