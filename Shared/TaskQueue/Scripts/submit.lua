-- Adds tasks. A task whose id or unique key is known already is not added again; one that has a parent is then a child of
-- that too.
-- ARGV: most waiting tasks, then for each task the 8 values below, '' where there is none.
-- Returns for each task {outcome, id}: 1 created, 0 existing (id of the one that exists), -1 the queue is full.
local width = 8
local cap = tonumber(ARGV[1])
local waiting = redis.call('ZCARD', scheduled) + redis.call('ZCARD', parked)
for _, priority in ipairs(priorities) do waiting = waiting + redis.call('LLEN', ready_key(priority)) end
local first = redis.call('ZRANGE', scheduled, 0, 0, 'WITHSCORES')
local earliest = tonumber(first[2] or math.huge)
local replies = {}
local wakes = false
local ready = {high = {}, normal = {}, low = {}}

-- Makes a task that was there before a child. A parent that forgot how it ended, or never knew, is told again.
local function join(id, key, parent)
    local task = redis.call('HMGET', key, 'state', 'parents')
    local state, parents = task[1], task[2]
    if state == 'completed' or state == 'failed' or state == 'cancelled' then tell_parents(id, parent, state) end
    if not parents then
        redis.call('HSET', key, 'parents', parent, 'more', 1)
    elseif not string.find(' ' .. parents .. ' ', ' ' .. parent .. ' ', 1, true) then
        redis.call('HSET', key, 'parents', parents .. ' ' .. parent)
    end
end

for i = 2, #ARGV, width do
    local id, priority, delay, unique, unique_ttl, payload, origin, parent = unpack(ARGV, i, i + width - 1)
    local key = task_key(id)
    local lock = unique ~= '' and base .. 'unique:' .. unique
    local holder = redis.call('EXISTS', key) == 1 and id or (lock and redis.call('GET', lock))
    if holder then
        if parent ~= '' then join(id, key, parent) end
        replies[#replies + 1] = {0, holder}
    elseif waiting >= cap then
        replies[#replies + 1] = {-1, id}
    else
        -- '@' and a time, or milliseconds from now.
        local due = string.sub(delay, 1, 1) == '@' and tonumber(string.sub(delay, 2)) or now + tonumber(delay)
        local state = 'ready'
        if due > now then
            state = 'scheduled'
            redis.call('ZADD', scheduled, due, id)
            count('scheduled', priority, 1)
            -- The waiting workers know an earlier time to look again than this one only if there is one.
            if due < earliest then
                earliest = due
                wakes = true
            end
        else
            due = now_text
            ready[priority][#ready[priority] + 1] = id
            wakes = true
        end
        redis.call('HSET', key, 'state', state, 'priority', priority, 'due', due, 'payload', payload, 'origin', origin,
            'created', now_text)
        if lock then
            redis.call('HSET', key, 'unique', unique, 'more', 1)
            redis.call('SET', lock, id, 'PX', unique_ttl)
        end
        if parent ~= '' then redis.call('HSET', key, 'parents', parent, 'more', 1) end
        waiting = waiting + 1
        tally('submitted')
        replies[#replies + 1] = {1, id}
    end
end
for _, priority in ipairs(priorities) do in_parts('RPUSH', ready_key(priority), ready[priority]) end
if wakes then ring() end
return replies
