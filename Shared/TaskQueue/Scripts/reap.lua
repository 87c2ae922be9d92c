-- Takes tasks back whose lease has run out, moves due and parked tasks to their lists, forgets old ones, and rings if
-- anything waits.
-- ARGV: the three limits of finish, lease in ms, most stalls, most tasks to take back.
-- Returns {taken back, of these condemned, buried, cancelled}.
limits = {tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])}
local lease, most_stalls, most = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

-- While Redis was away no worker could beat. After a restart all of them get one lease to do so.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local known = redis.call('HMGET', control, 'redis_run', 'reap_from')
local reap_from = tonumber(known[2] or 0)
if known[1] ~= run then
    reap_from = now + lease
    redis.call('HSET', control, 'redis_run', run, 'reap_from', reap_from)
end

-- Before any is taken back: those come first.
unpark_all()
local taken, condemned, buried, cancelled = 0, 0, 0, 0
if now >= reap_from then
    -- Latest lease first, so that the longest waiting of them ends up at the head.
    local expired = redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, most)
    for i = #expired, 1, -1 do
        local id = expired[i]
        local key = task_key(id)
        local task = redis.call('HMGET', key, 'priority', 'cancel', 'stalls', 'condemned', 'held')
        local priority = task[1]
        if priority then
            local stalls = tonumber(task[3] or 0) + 1
            local reason = 'The worker stopped answering, ' .. stalls .. ' time(s).'
            stop_running(id, key, priority, task[5])
            remember(key, reason)
            redis.call('HDEL', key, 'run', 'progress', 'message')
            redis.call('HSET', key, 'stalls', stalls)
            tally('stalled')
            taken = taken + 1
            if task[2] then
                redis.call('HDEL', key, 'cancel')
                finish(id, key, 'cancelled')
                cancelled = cancelled + 1
            elseif stalls >= 2 * most_stalls then
                -- Not even its end could be reported: no worker has to suffer it again.
                bury(id, key, priority, reason)
                buried = buried + 1
            else
                if not task[4] then
                    redis.call('HINCRBY', key, 'attempt', -1)
                    if stalls >= most_stalls then
                        redis.call('HSET', key, 'condemned', reason, 'error', reason)
                        condemned = condemned + 1
                    end
                end
                redis.call('HSET', key, 'state', 'ready')
                redis.call('LPUSH', ready_key(priority), id)
            end
        else
            -- Someone deleted the record by hand; that must not stop the rest.
            redis.call('ZREM', leases, id)
        end
    end
end
promote(1000)
prune()
if any_ready() and not redis.call('HGET', control, 'paused') then ring() end
return {taken, condemned, buried, cancelled}
