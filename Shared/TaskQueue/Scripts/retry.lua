-- Lets a failed or cancelled task start afresh.
-- ARGV: id. Returns 1 ready again, 0 it has not failed, -1 there is no such task.
local id = ARGV[1]
local key = task_key(id)
local task = redis.call('HMGET', key, 'state', 'priority', 'listed')
local state, priority = task[1], task[2]
if not state then return -1 end
if state == 'failed' then
    redis.call('ZREM', dead, id)
    count('dead', priority, -1)
elseif state == 'cancelled' then
    redis.call('ZREM', finished, id)
else
    return 0
end
redis.call('HDEL', key, 'attempt', 'stalls', 'fence', 'worker', 'started', 'finished', 'error', 'condemned', 'reports', 'progress',
    'message', 'listed', 'cancel', 'outages')
redis.call('HSET', key, 'state', 'ready', 'due', now_text)
if task[3] then
    -- Its old entry is still in the list and counts again.
    count('ghosts', priority, -1)
else
    redis.call('RPUSH', ready_key(priority), id)
end
ring()
return 1
