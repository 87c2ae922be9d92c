-- Ends running tasks with their results.
-- ARGV: the three limits of finish, then for each task: id, fence, result ('' for none).
-- Returns for each: 1 done (or done before by the same claim, whose reply was lost), 0 the fence differs.
limits = {tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])}
local answers = {}
for i = 4, #ARGV, 3 do
    local id, fence, result = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    local key = task_key(id)
    local task = redis.call('HMGET', key, 'state', 'fence', 'priority', 'started', 'unique', 'held', 'history', 'progress', 'cancel')
    if task[2] ~= fence then
        answers[#answers + 1] = 0
    else
        if task[1] == 'running' then
            stop_running(id, key, task[3], task[6])
            observe('run', task[3], now - tonumber(task[4]))
            -- What only another run would need is dropped: the record is kept for its state and its result.
            if task[7] then redis.call('HDEL', key, 'history', 'error') end
            if task[8] then redis.call('HDEL', key, 'progress', 'message') end
            if task[9] then redis.call('HDEL', key, 'cancel') end
            finish(id, key, 'completed', task[5], 'payload', '', 'result', result)
        end
        answers[#answers + 1] = 1
    end
end
return answers
