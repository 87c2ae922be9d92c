-- What all scripts of the queue share. KEYS[1] is the queue's key prefix with its hash tag, so every key is in one slot.
--
-- Invariants that every script keeps:
--   * A task is in exactly the collection that its state names: a ready list, scheduled, leases, dead or finished.
--   * For each priority: length of the ready list = tasks in state ready + ghosts. A ghost is the entry of a task that
--     was cancelled while it waited; it is dropped when it comes to the head, so that no list is ever searched.
--   * The counters scheduled:<p>, running:<p>, dead:<p> in stats equal the tasks in that state.
local now = math.floor(now_us / 1000)
local base = KEYS[1]
local control, stats, wake = base .. 'control', base .. 'stats', base .. 'wake'
local leases, scheduled, dead, finished = base .. 'leases', base .. 'scheduled', base .. 'dead', base .. 'finished'
local priorities = {'high', 'normal', 'low'}

local function task_key(id) return base .. 'task:' .. id end
local function ready_key(priority) return base .. 'ready:' .. priority end
local function count(what, priority, change) redis.call('HINCRBY', stats, what .. ':' .. priority, change) end

-- Wakes one waiting worker, now or when the next one begins to wait.
local function ring() redis.call('ZADD', wake, 0, 'ready') end

local function any_ready()
    for _, priority in ipairs(priorities) do
        if redis.call('EXISTS', ready_key(priority)) == 1 then return true end
    end
    return false
end

local function unlock(key, id)
    local unique = redis.call('HGET', key, 'unique')
    if unique and redis.call('GET', base .. 'unique:' .. unique) == id then
        redis.call('DEL', base .. 'unique:' .. unique)
    end
end

-- Ends a task as completed or cancelled; limits = {time to live in ms, most finished tasks, most dead tasks}.
local function finish(id, key, state, limits)
    unlock(key, id)
    redis.call('HSET', key, 'state', state, 'finished', now)
    redis.call('PEXPIRE', key, limits[1])
    redis.call('ZADD', finished, now, id)
    redis.call('ZREMRANGEBYSCORE', finished, '-inf', now - limits[1])
    local surplus = redis.call('ZCARD', finished) - limits[2]
    if surplus > 0 then
        local oldest = redis.call('ZPOPMIN', finished, math.min(surplus, 100))
        for i = 1, #oldest, 2 do redis.call('DEL', task_key(oldest[i])) end
    end
    redis.call('HINCRBY', stats, state, 1)
end

-- Ends a task as failed; it stays in the dead set until it is retried, purged or pushed out by newer ones.
local function bury(id, key, priority, reason, limits)
    unlock(key, id)
    redis.call('HSET', key, 'state', 'failed', 'finished', now, 'error', reason)
    redis.call('HDEL', key, 'condemned', 'reports', 'cancel')
    redis.call('ZADD', dead, now, id)
    count('dead', priority, 1)
    redis.call('HINCRBY', stats, 'failed', 1)
    local surplus = redis.call('ZCARD', dead) - limits[3]
    if surplus > 0 then
        local oldest = redis.call('ZPOPMIN', dead, math.min(surplus, 100))
        for i = 1, #oldest, 2 do
            local old_key = task_key(oldest[i])
            count('dead', redis.call('HGET', old_key, 'priority') or priority, -1)
            redis.call('DEL', old_key)
        end
    end
end

-- Takes a running task out of the leases. The caller gives it its next state in the same script.
local function stop_running(id, priority)
    redis.call('ZREM', leases, id)
    count('running', priority, -1)
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
            redis.call('HSET', key, 'state', 'ready', 'ready', now)
            redis.call('HDEL', key, 'due')
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
