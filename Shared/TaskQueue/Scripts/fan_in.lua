-- Notes how children ended; the last one ends a parent whose own part is done.
-- ARGV: the three limits of finish, then for each child: its parent's id, the child as `type/id`, and how it ended, or '' when
-- it is to run again. Returns how much there is to tell in turn.
--
-- Idempotent: only a change of what is known of a child counts.
limits = {tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])}
local fields = {[''] = 'open', failed = 'failed_children', cancelled = 'cancelled_children'}
local changed, order = {}, {}
for i = 4, #ARGV, 3 do
    local id, child, state = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    local before = redis.call('HGET', children_key(id), child)
    -- What has completed does not run again.
    if before and before ~= state and not (state == '' and before == 'completed') then
        redis.call('HSET', children_key(id), child, state)
        if fields[before] then redis.call('HINCRBY', task_key(id), fields[before], -1) end
        if fields[state] then redis.call('HINCRBY', task_key(id), fields[state], 1) end
        if not changed[id] then
            changed[id] = true
            order[#order + 1] = id
        end
    end
end
for _, id in ipairs(order) do
    local key = task_key(id)
    local task = redis.call('HMGET', key, 'state', 'priority', 'open', 'failed_children', 'cancelled_children', 'result')
    local state, priority, is_done = task[1], task[2], task[3] == '0'
    if not state then
        -- The parent was forgotten; what is counted here must not look like a task.
        redis.call('DEL', key, children_key(id))
    elseif state == 'waiting' and is_done then
        redis.call('ZREM', waiting_parents, id)
        count('waiting', priority, -1)
        end_parent(id, key, priority)
    elseif state == 'failed' and is_done and task[6] and tonumber(task[4] or 0) + tonumber(task[5] or 0) == 0 then
        -- Its dead children were retried one by one and have completed.
        redis.call('ZREM', dead, id)
        redis.call('HDEL', key, 'error')
        count('dead', priority, -1)
        end_parent(id, key, priority)
    else
        announce(id, key)
    end
end
return redis.call('XLEN', outbox)
