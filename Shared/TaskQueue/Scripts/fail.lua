-- Ends one run of a task that did not succeed.
-- ARGV: the three limits of finish, id, fence, error, mode, delay in ms. Modes:
--   retry      runs again after the delay
--   postpone   as retry, but the run was no attempt
--   condemn    will not run again, but its handler has not yet heard of that: comes back after the delay for that only
--   bury       has failed finally
--   cancelled  stopped because someone cancelled it; what was to run again but is cancelled ends so too
-- Returns 1 done (or done before by the same claim), 2 done and others are to be told, 0 the fence differs.
limits = {tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])}
local id, fence, reason, mode, delay = ARGV[4], ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8])
local key = task_key(id)
local task = redis.call('HMGET', key, 'state', 'run', 'priority', 'cancel', 'held', 'parents', 'children')
local held_fence, started = parts_of(task[2])
if held_fence ~= fence then return 0 end
local answer = (task[6] or task[7]) and 2 or 1
if task[1] ~= 'running' then return answer end
local priority = task[3]
stop_running(id, key, priority, task[5])
observe('run', priority, now - tonumber(started))
if mode ~= 'cancelled' then remember(key, reason) end
if mode == 'bury' then
    bury(id, key, priority, reason)
elseif mode == 'cancelled' or task[4] then
    redis.call('HDEL', key, 'cancel')
    finish(id, key, 'cancelled')
else
    local due = now + delay
    local earliest = redis.call('ZRANGE', scheduled, 0, 0, 'WITHSCORES')
    redis.call('HSET', key, 'state', 'scheduled', 'due', due, 'error', reason)
    redis.call('HDEL', key, 'progress', 'message')
    if mode == 'postpone' then
        redis.call('HINCRBY', key, 'attempt', -1)
        redis.call('HINCRBY', key, 'outages', 1)
    end
    if mode == 'condemn' then redis.call('HSET', key, 'condemned', reason) end
    redis.call('ZADD', scheduled, due, id)
    count('scheduled', priority, 1)
    tally('retried')
    if not earliest[2] or due < tonumber(earliest[2]) then ring() end
end
return answer
