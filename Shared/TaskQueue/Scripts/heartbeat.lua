-- Extends the leases of a worker's running tasks.
-- ARGV: lease in ms, worker and its report of itself as JSON ('' twice when only tasks are reported), then for each task:
-- id, fence, progress and message ('' for no news).
-- Returns for each task: 0 go on, 1 the lease is lost, 2 cancellation is asked for.
local lease, worker = tonumber(ARGV[1]), ARGV[2]
if worker ~= '' then
    redis.call('SET', base .. 'worker:' .. worker, ARGV[3], 'PX', 60000)
    redis.call('ZADD', workers, now, worker)
    redis.call('ZREMRANGEBYSCORE', workers, '-inf', now - 60000)
end
local answers = {}
for i = 4, #ARGV, 4 do
    local id, fence, progress, message = unpack(ARGV, i, i + 3)
    local key = task_key(id)
    local task = redis.call('HMGET', key, 'state', 'run', 'cancel')
    if task[1] ~= 'running' or parts_of(task[2]) ~= fence then
        answers[#answers + 1] = 1
    else
        redis.call('ZADD', leases, now + lease, id)
        if progress ~= '' then
            redis.call('HSET', key, 'progress', progress, 'message', message, 'more', 1)
            announce(id, key)
        end
        answers[#answers + 1] = task[3] and 2 or 0
    end
end
return answers
