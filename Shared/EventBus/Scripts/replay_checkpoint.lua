-- Records how far a replay is, and prolongs its lease.
-- KEYS[1] replay; ARGV[1] token, ARGV[2] milliseconds of the lease, ARGV[3] the state from now on,
-- ARGV[4…] fields and values
-- Returns OK; the state when it is no longer running; STALE when another replica runs it.
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'running' then
    return state or 'STALE'
end
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
    return 'STALE'
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'lease', string.format('%.0f', now + ARGV[2]))
if ARGV[3] == 'completed' then
    redis.call('HSET', KEYS[1], 'finished', string.format('%.0f', now))
end
if #ARGV > 3 then
    redis.call('HSET', KEYS[1], unpack(ARGV, 4))
end
return 'OK'
