-- Returns {paused since or 0, then for high, normal, low: ready, scheduled, running, waiting, dead, ms the oldest ready task
-- waits}.
local reply = {tonumber(redis.call('HGET', control, 'paused') or 0)}
local first_parked = redis.call('ZRANGE', parked, 0, 0, 'WITHSCORES')
for _, priority in ipairs(priorities) do
    local list = ready_key(priority)
    local counters = redis.call('HMGET', stats, 'ghosts:' .. priority, 'scheduled:' .. priority, 'running:' .. priority,
        'dead:' .. priority, 'parked:' .. priority, 'waiting:' .. priority)
    local waits = 0
    for _, id in ipairs(redis.call('LRANGE', list, 0, 99)) do
        local task = redis.call('HMGET', task_key(id), 'state', 'due')
        if task[1] == 'ready' then
            waits = math.max(0, now - tonumber(task[2]))
            break
        end
    end
    if first_parked[1] and redis.call('HGET', task_key(first_parked[1]), 'priority') == priority then
        waits = math.max(waits, now - tonumber(first_parked[2]))
    end
    reply[#reply + 1] = redis.call('LLEN', list) - tonumber(counters[1] or 0) + tonumber(counters[5] or 0)
    reply[#reply + 1] = tonumber(counters[2] or 0)
    reply[#reply + 1] = tonumber(counters[3] or 0)
    reply[#reply + 1] = tonumber(counters[6] or 0)
    reply[#reply + 1] = tonumber(counters[4] or 0)
    reply[#reply + 1] = waits
end
return reply
