-- Ends a replay that has not ended.
-- KEYS[1] replay
-- Returns 1, or 0 when there is nothing to end.
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'waiting' and state ~= 'running' then
    return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'state', 'cancelled', 'finished', string.format('%.0f', now))
return 1
