-- Gives running tasks back unfinished, to the heads of their lists; the attempt does not count.
-- One that someone asked to cancel ends as cancelled instead.
-- ARGV: the three limits of finish, then for each task: id, fence. Returns for each: 1 released, 0 the fence differs.
limits = {tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])}
local answers = {}
for i = 4, #ARGV, 2 do
    local id, fence = ARGV[i], ARGV[i + 1]
    local key = task_key(id)
    local task = redis.call('HMGET', key, 'state', 'run', 'priority', 'condemned', 'cancel', 'held')
    if task[1] ~= 'running' or parts_of(task[2]) ~= fence then
        answers[#answers + 1] = 0
    else
        stop_running(id, key, task[3], task[6])
        redis.call('HDEL', key, 'run', 'progress', 'message')
        if task[5] then
            redis.call('HDEL', key, 'cancel')
            finish(id, key, 'cancelled')
        else
            if not task[4] then redis.call('HINCRBY', key, 'attempt', -1) end
            redis.call('HSET', key, 'state', 'ready')
            redis.call('LPUSH', ready_key(task[3]), id)
            ring()
        end
        answers[#answers + 1] = 1
    end
end
return answers
