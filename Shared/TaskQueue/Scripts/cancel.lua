-- Cancels a task: at once when it waits, through its worker's next heartbeat when it runs.
-- ARGV: the three limits of finish, id.
-- Returns 2 cancelled, 1 asked for, 0 it has ended already, -1 there is no such task.
limits = {tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])}
local id = ARGV[4]
local key = task_key(id)
local task = redis.call('HMGET', key, 'state', 'priority')
local state, priority = task[1], task[2]
if not state then return -1 end
if state == 'ready' then
    redis.call('HSET', key, 'listed', 1)
    count('ghosts', priority, 1)
elseif state == 'scheduled' then
    redis.call('ZREM', scheduled, id)
    count('scheduled', priority, -1)
elseif state == 'waiting' then
    redis.call('ZREM', waiting_parents, id)
    count('waiting', priority, -1)
elseif state == 'running' then
    redis.call('HSET', key, 'cancel', now_text, 'more', 1)
    return 1
else
    return 0
end
finish(id, key, 'cancelled')
return 2
