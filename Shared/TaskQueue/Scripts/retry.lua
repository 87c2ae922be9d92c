-- Lets a failed or cancelled task start afresh. Of a parent whose own part is done, the children that failed or were
-- cancelled do, and it waits for them.
-- ARGV: id. Returns 1 ready again, 2 its children are to be told, 0 it has not failed, -1 there is no such task.
local id = ARGV[1]
local key = task_key(id)
local task = redis.call('HMGET', key, 'state', 'priority', 'listed', 'open', 'result')
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
redis.call('HDEL', key, 'finished', 'error')
if task[4] then redis.call('PERSIST', children_key(id)) end
if task[4] and task[5] then
    -- Counts as a child that is open until whoever carries the word has told all of them.
    if redis.call('HGET', children_key(id), '*') ~= '' then
        redis.call('HSET', children_key(id), '*', '')
        redis.call('HINCRBY', key, 'open', 1)
    end
    redis.call('HSET', key, 'state', 'waiting')
    redis.call('ZADD', waiting_parents, now, id)
    count('waiting', priority, 1)
    redis.call('XADD', outbox, '*', 'kind', 'retry', 'of', id)
    return 2
end
redis.call('HDEL', key, 'attempt', 'stalls', 'run', 'condemned', 'reports', 'progress', 'message',
    'listed', 'cancel', 'outages')
redis.call('HSET', key, 'state', 'ready', 'due', now_text)
if task[3] then
    -- Its old entry is still in the list and counts again.
    count('ghosts', priority, -1)
else
    redis.call('RPUSH', ready_key(priority), id)
end
ring()
return 1
