-- Ends running tasks with their results.
-- ARGV: the three limits of finish, then for each task: id, fence, result ('' for none).
-- Returns for each: 1 done (or done before by the same claim, whose reply was lost), 2 done and its parents are to be told,
-- 0 the fence differs. A task with children that have not ended waits for them.
limits = {tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])}
local answers = {}
for i = 4, #ARGV, 3 do
    local id, fence, result = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    local key = task_key(id)
    local task = redis.call('HMGET', key, 'state', 'fence', 'priority', 'started', 'unique', 'parents', 'open', 'held', 'history',
        'progress', 'cancel')
    if task[2] ~= fence then
        answers[#answers + 1] = 0
    else
        local open = task[7]
        if task[1] == 'running' then
            stop_running(id, key, task[3], task[8])
            observe('run', task[3], now - tonumber(task[4]))
            -- What only another run would need is dropped: the record is kept for its state and its result.
            if task[9] then redis.call('HDEL', key, 'history', 'error') end
            if task[10] then redis.call('HDEL', key, 'progress', 'message') end
            if task[11] then redis.call('HDEL', key, 'cancel') end
            if open then
                redis.call('HSET', key, 'state', 'waiting', 'result', result)
                if open == '0' then
                    end_parent(id, key, task[3])
                else
                    redis.call('ZADD', waiting_parents, now, id)
                    count('waiting', task[3], 1)
                    announce(id, key)
                end
            else
                finish(id, key, 'completed', {task[5], task[6], false, task[10]}, 'payload', '', 'result', result)
            end
        end
        answers[#answers + 1] = task[6] and 2 or 1
    end
end
return answers
