-- What all scripts of the queue share. KEYS[1] is the queue's key prefix with its hash tag, so every key is in one slot.
--
-- Invariants that every script keeps:
--   * A task is in exactly the collection that its state names: a ready list, scheduled, leases, waiting, dead or finished. A
--     ready task whose exam runs as many tasks as it may is parked: in its exam's list instead of the ready list.
--   * For each priority: length of the ready list + parked = tasks in state ready + ghosts. A ghost is the entry of a
--     task that was cancelled while it waited; it is dropped when it comes to the head, so that no list is searched.
--   * The counters scheduled:<p>, running:<p>, waiting:<p>, dead:<p>, parked:<p> in stats equal the tasks in that state.
--   * A record with any of the fields unique, parents, open, held, history, progress, cancel, condemned and outages has
--     the field `more`: most have none, and whoever claims or completes one then looks for none.
--   * A parent's field `open` is the number of its children that have not ended. A parent whose own part is done waits
--     while that is above 0, and ends in the script that brings it to 0.
--
-- A script's own part runs as main(); what it only noted here (counters, ended tasks) is written once, by settle().
local now = math.floor(now_us / 1000)
-- Redis writes a number of Lua's as text each time it is given one, slowly.
local now_text = string.format('%d', now)
local base = KEYS[1]
local control, stats, wake = base .. 'control', base .. 'stats', base .. 'wake'
local leases, scheduled, dead, finished = base .. 'leases', base .. 'scheduled', base .. 'dead', base .. 'finished'
-- Parked tasks by time; the exams that have some; how many tasks of an exam run, while there is a limit for that.
local parked, parked_exams, exams = base .. 'parked', base .. 'parked-exams', base .. 'exams'
local workers = base .. 'workers'
-- What workers carry to the queues of other types: ends of children to their parents, and what befalls children with
-- their parent.
local outbox = base .. 'outbox'
-- Parents whose own part is done, by the time somebody last looked whether their children are still there.
local waiting_parents = base .. 'waiting'
local priorities = {'high', 'normal', 'low'}

local function task_key(id) return base .. 'task:' .. id end
local function ready_key(priority) return base .. 'ready:' .. priority end
-- Of a parent: how each of its children ended, '' for those that have not, by type and id.
local function children_key(id) return base .. 'children:' .. id end
local function parked_key(priority, exam) return base .. 'parked:' .. priority .. ':' .. exam end

-- The exam of a task, or nil: what `origin` begins with, a netstring.
local function exam_of(origin)
    local length, first = string.match(origin or '', '^(%d+):()')
    if length and length ~= '0' then return string.sub(origin, first, first + length - 1) end
end

-- The parts of a task's field `run`, '<fence> <when it began, in ms> <worker>': its last claim. nil when that was given back
-- or lost its lease: then no report of it is accepted any more.
local function parts_of(run) return string.match(run or '', '^(%d+) (%d+) (.*)$') end

-- {time to live of finished tasks in ms, most finished tasks, most dead tasks}, for scripts that end tasks.
local limits
local counted, tallied, observed = {}, {}, {}
local stopped, ended = {}, {}

-- The element of a table of tables.
local function within(tables, key)
    local found = tables[key]
    if not found then
        found = {}
        tables[key] = found
    end
    return found
end

local function count(what, priority, change)
    local by_priority = within(counted, what)
    by_priority[priority] = (by_priority[priority] or 0) + change
end
-- Counts what happened, for ever and in the ten seconds it happened in.
local function tally(what) tallied[what] = (tallied[what] or 0) + 1 end

-- Upper bounds of the histograms' buckets, in ms; the last bucket has none.
local bounds = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 300000}

-- Where the last time fell; the next is near it.
local bucket = 1

-- Notes a time for the histogram of waiting ('wait') or running ('run').
local function observe(what, priority, milliseconds)
    while bounds[bucket] and milliseconds > bounds[bucket] do bucket = bucket + 1 end
    while bucket > 1 and milliseconds <= bounds[bucket - 1] do bucket = bucket - 1 end
    local histogram = within(within(observed, what), priority)
    histogram[bucket] = (histogram[bucket] or 0) + 1
    histogram.sum = (histogram.sum or 0) + milliseconds
end

-- Wakes one waiting worker, now or when the next one begins to wait.
local function ring() redis.call('ZADD', wake, 0, 'ready') end

local function any_ready()
    return redis.call('EXISTS', ready_key('high'), ready_key('normal'), ready_key('low')) > 0
end

-- Lets others have the unique key of a task; false when it has none.
local function unlock(id, unique)
    if unique and redis.call('GET', base .. 'unique:' .. unique) == id then
        redis.call('DEL', base .. 'unique:' .. unique)
    end
end

-- Leaves word for the parents of a task that it has ended.
local function tell_parents(id, parents, state)
    for parent in string.gmatch(parents, '%S+') do
        redis.call('XADD', outbox, '*', 'kind', 'ended', 'of', parent, 'child', id, 'state', state)
    end
end

-- Tells whoever follows tasks how far one is, as the task's record says. Old news are dropped.
local function announce(id, key)
    local task = redis.call('HMGET', key, 'state', 'progress', 'message', 'children', 'open', 'origin')
    redis.call('XADD', base .. 'news', 'MAXLEN', '~', 1000, '*', 'id', id, 'state', task[1] or '', 'progress', task[2] or '',
        'message', task[3] or '', 'children', task[4] or '', 'open', task[5] or '', 'exam', exam_of(task[6]) or '')
end

-- Ends a task as completed or cancelled. `known`: its fields unique, parents, children and progress, or nil to look them
-- up. Further arguments: fields of its record and their values.
local function finish(id, key, state, known, ...)
    local task = known or redis.call('HMGET', key, 'unique', 'parents', 'children', 'progress')
    unlock(id, task[1])
    redis.call('HSET', key, 'state', state, 'finished', now_text, ...)
    ended[#ended + 1] = now_text
    ended[#ended + 1] = id
    tally(state)
    if task[2] then tell_parents(id, task[2], state) end
    if task[3] then
        redis.call('PEXPIRE', children_key(id), limits[1])
        if state == 'cancelled' then redis.call('XADD', outbox, '*', 'kind', 'cancel', 'of', id) end
    end
    if task[3] or task[4] then announce(id, key) end
end

-- Forgets finished tasks that are too old or too many, at most 500 of them.
local function prune()
    local surplus = redis.call('ZCARD', finished) - limits[2]
    local old = redis.call('ZRANGEBYSCORE', finished, '-inf', now - limits[1], 'LIMIT', 0, 500)
    local oldest = redis.call('ZPOPMIN', finished, math.max(0, math.min(math.max(surplus, #old), 500)))
    for i = 1, #oldest, 2 do redis.call('DEL', task_key(oldest[i])) end
end

-- Adds to the record of a task how its last run ended, oldest first, one JSON object a line.
local function remember(key, reason)
    local task = redis.call('HMGET', key, 'history', 'attempt', 'run')
    local _, started, worker = parts_of(task[3])
    local entry = cjson.encode({
        attempt = tonumber(task[2] or 0), worker = worker or '', started_at = tonumber(started or now), ended_at = now,
        error = reason,
    })
    local history = task[1] and task[1] .. '\n' .. entry or entry
    while #history > 16384 do
        local line = string.find(history, '\n', 1, true)
        if not line then break end
        history = string.sub(history, line + 1)
    end
    redis.call('HSET', key, 'history', history, 'more', 1)
end

-- Ends a task as failed; it stays in the dead set until it is retried, purged or pushed out by newer ones.
local function bury(id, key, priority, reason)
    local task = redis.call('HMGET', key, 'unique', 'parents', 'children', 'progress')
    unlock(id, task[1])
    redis.call('HSET', key, 'state', 'failed', 'finished', now_text, 'error', reason)
    redis.call('HDEL', key, 'condemned', 'reports', 'cancel')
    if task[2] then tell_parents(id, task[2], 'failed') end
    if task[3] or task[4] then announce(id, key) end
    redis.call('ZADD', dead, now, id)
    count('dead', priority, 1)
    tally('failed')
    local surplus = redis.call('ZCARD', dead) - limits[3]
    if surplus > 0 then
        local oldest = redis.call('ZPOPMIN', dead, math.min(surplus, 100))
        for i = 1, #oldest, 2 do
            local old_key = task_key(oldest[i])
            count('dead', redis.call('HGET', old_key, 'priority') or priority, -1)
            redis.call('DEL', old_key, children_key(oldest[i]))
        end
    end
end

-- Ends a parent whose own part is done, once none of its children is open.
local function end_parent(id, key, priority)
    local task = redis.call('HMGET', key, 'children', 'failed_children', 'cancelled_children')
    local failed, cancelled = tonumber(task[2] or 0), tonumber(task[3] or 0)
    if failed + cancelled == 0 then
        finish(id, key, 'completed', nil, 'payload', '')
    else
        bury(id, key, priority, string.format('Of %s children %d failed and %d were cancelled.', task[1], failed, cancelled))
    end
end

-- Forgets the entry of a task that was cancelled while it waited.
local function drop_ghost(id, priority)
    count('ghosts', priority, -1)
    redis.call('HDEL', task_key(id), 'listed')
end

-- Keeps a ready task out of its list while its exam runs as many as it may. Its place among the others is that of the
-- first time. `due`: since when it is ready.
local function park(id, key, priority, exam, due)
    local place = redis.call('HGET', key, 'place')
    if not place then
        place = redis.call('HINCRBY', control, 'places', 1)
        redis.call('HSET', key, 'place', place)
    end
    count('parked', priority, 1)
    redis.call('ZADD', parked_key(priority, exam), place, id)
    redis.call('ZADD', parked, due, id)
    redis.call('SADD', parked_exams, exam)
end

-- Lets parked tasks of an exam wait in the ready lists again, as many as may run, and at most `most`.
-- `push`: LPUSH when one takes the place of one that ended, else RPUSH.
local function unpark(exam, limit, most, push)
    local room = math.min(most, limit - tonumber(redis.call('HGET', exams, exam) or 0))
    local moved = 0
    for _, priority in ipairs(priorities) do
        local list = parked_key(priority, exam)
        while moved < room do
            local id = redis.call('ZPOPMIN', list)[1]
            if not id then break end
            count('parked', priority, -1)
            redis.call('ZREM', parked, id)
            local task = redis.call('HMGET', task_key(id), 'state', 'priority')
            if task[1] == 'ready' and task[2] == priority then
                redis.call(push, ready_key(priority), id)
                moved = moved + 1
            else
                drop_ghost(id, priority)
            end
        end
    end
    if redis.call('EXISTS', parked_key('high', exam), parked_key('normal', exam), parked_key('low', exam)) == 0 then
        redis.call('SREM', parked_exams, exam)
    end
    if moved > 0 then ring() end
end

-- Takes a running task out of the leases. The caller gives it its next state in the same script.
-- `exam` is the task's field `held`: its exam, when it counts as running there.
local function stop_running(id, key, priority, exam)
    stopped[#stopped + 1] = id
    count('running', priority, -1)
    if not exam then return end
    redis.call('HDEL', key, 'held')
    if redis.call('HINCRBY', exams, exam, -1) <= 0 then redis.call('HDEL', exams, exam) end
    if redis.call('SISMEMBER', parked_exams, exam) == 1 then
        unpark(exam, tonumber(redis.call('HGET', control, 'exam_limit') or 1e9), 1, 'LPUSH')
    end
end

-- Whatever let an exam's parked tasks lie (a limit raised, a task cancelled and retried): they go on.
local function unpark_all()
    local limit = tonumber(redis.call('HGET', control, 'exam_limit') or 1e9)
    for _, exam in ipairs(redis.call('SRANDMEMBER', parked_exams, 100)) do unpark(exam, limit, 100, 'RPUSH') end
end

-- Moves tasks whose time has come to the tails of their lists, at most `most` of them.
local function promote(most)
    local due = redis.call('ZRANGEBYSCORE', scheduled, '-inf', now, 'LIMIT', 0, most)
    for _, id in ipairs(due) do
        local key = task_key(id)
        local priority = redis.call('HGET', key, 'priority')
        redis.call('ZREM', scheduled, id)
        if priority then
            count('scheduled', priority, -1)
            redis.call('HSET', key, 'state', 'ready')
            redis.call('RPUSH', ready_key(priority), id)
        end
    end
    return #due
end

-- Milliseconds until the next scheduled task is due, or -1.
local function next_due()
    local first = redis.call('ZRANGE', scheduled, 0, 0, 'WITHSCORES')
    if #first == 0 then return -1 end
    return math.max(0, tonumber(first[2]) - now)
end

-- Calls redis with many arguments, in parts that Lua's stack holds.
local function in_parts(command, key, arguments)
    for first = 1, #arguments, 1000 do
        redis.call(command, key, unpack(arguments, first, math.min(first + 999, #arguments)))
    end
end

-- Writes what a script has noted.
local function settle()
    in_parts('ZREM', leases, stopped)
    -- A place of the queue's own limit is free, and whoever could take it may be asleep.
    if #stopped > 0 and redis.call('HEXISTS', control, 'limit') == 1 and any_ready() then ring() end
    if #ended > 0 then
        in_parts('ZADD', finished, ended)
        prune()
    end
    for what, change in pairs(tallied) do
        redis.call('HINCRBY', stats, what, change)
        local slot = base .. 'rate:' .. math.floor(now / 10000)
        if redis.call('HINCRBY', slot, what, change) == change then redis.call('PEXPIRE', slot, 900000) end
    end
    for what, by_priority in pairs(counted) do
        for priority, change in pairs(by_priority) do
            if change ~= 0 then redis.call('HINCRBY', stats, what .. ':' .. priority, change) end
        end
    end
    for what, by_priority in pairs(observed) do
        for priority, histogram in pairs(by_priority) do
            for part, change in pairs(histogram) do
                if change ~= 0 then redis.call('HINCRBY', stats, what .. ':' .. priority .. ':' .. part, change) end
            end
        end
    end
end
