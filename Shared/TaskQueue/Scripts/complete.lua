-- Ends running tasks with their results.
-- ARGV: the three limits of finish, then for each task: id, fence, result ('' for none).
-- Returns for each: 1 done (or done before by the same claim, whose reply was lost), 0 the fence differs.
limits = {tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])}
local answers = {}
for i = 4, #ARGV, 3 do
    local id, fence, result = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    local key = task_key(id)
    local task = redis.call('HMGET', key, 'state', 'fence', 'priority', 'unique', 'started', 'held')
    if task[2] ~= fence then
        answers[#answers + 1] = 0
    else
        if task[1] == 'running' then
            stop_running(id, key, task[3], task[6])
            observe('run', task[3], now - tonumber(task[5]))
            -- What only another run would need is dropped: the record is kept for its state and its result.
            redis.call('HDEL', key, 'payload', 'cancel', 'condemned', 'error', 'max_attempts', 'timeout', 'delays', 'message',
                'progress', 'history')
            if result ~= '' then
                finish(id, key, 'completed', task[4], 'result', result)
            else
                finish(id, key, 'completed', task[4])
            end
        end
        answers[#answers + 1] = 1
    end
end
return answers
