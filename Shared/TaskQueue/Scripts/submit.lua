-- Adds tasks. A task whose id or unique key is known already is not added again.
-- ARGV: most waiting tasks, then for each task the 15 values below, '' where there is none.
-- Returns for each task {outcome, id}: 1 created, 0 existing (id of the one that exists), -1 the queue is full.
local width = 15
local cap = tonumber(ARGV[1])
local waiting = redis.call('ZCARD', scheduled) + redis.call('ZCARD', parked)
for _, priority in ipairs(priorities) do waiting = waiting + redis.call('LLEN', ready_key(priority)) end
local first = redis.call('ZRANGE', scheduled, 0, 0, 'WITHSCORES')
local earliest = tonumber(first[2] or math.huge)
local names = {'payload', 'exam', 'correlation', 'causation', 'source', 'actor', 'traceparent', 'max_attempts', 'timeout'}
local replies = {}
local wakes = false
local ready = {high = {}, normal = {}, low = {}}

for i = 2, #ARGV, width do
    local id, priority, delay, unique, unique_ttl = unpack(ARGV, i, i + 4)
    local key = task_key(id)
    local lock = unique ~= '' and base .. 'unique:' .. unique
    local holder = redis.call('EXISTS', key) == 1 and id or (lock and redis.call('GET', lock))
    if holder then
        replies[#replies + 1] = {0, holder}
    elseif waiting >= cap then
        replies[#replies + 1] = {-1, id}
    else
        local fields = {'priority', priority, 'created', now_text}
        for n, name in ipairs(names) do
            local value = ARGV[i + 4 + n]
            if value ~= '' then
                fields[#fields + 1] = name
                fields[#fields + 1] = value
            end
        end
        local delays = ARGV[i + 14]
        if delays ~= '' then
            fields[#fields + 1] = 'delays'
            fields[#fields + 1] = delays
        end
        if lock then
            fields[#fields + 1] = 'unique'
            fields[#fields + 1] = unique
            redis.call('SET', lock, id, 'PX', unique_ttl)
        end
        -- '@' and a time, or milliseconds from now.
        local due = string.sub(delay, 1, 1) == '@' and tonumber(string.sub(delay, 2)) or now + tonumber(delay)
        if due > now then
            redis.call('HSET', key, 'state', 'scheduled', 'due', due, unpack(fields))
            redis.call('ZADD', scheduled, due, id)
            count('scheduled', priority, 1)
            -- The waiting workers know an earlier time to look again than this one only if there is one.
            if due < earliest then
                earliest = due
                wakes = true
            end
        else
            redis.call('HSET', key, 'state', 'ready', 'ready', now_text, unpack(fields))
            ready[priority][#ready[priority] + 1] = id
            wakes = true
        end
        waiting = waiting + 1
        tally('submitted')
        replies[#replies + 1] = {1, id}
    end
end
for _, priority in ipairs(priorities) do in_parts('RPUSH', ready_key(priority), ready[priority]) end
if wakes then ring() end
return replies
