-- Ends running tasks with their results.
-- ARGV: the three limits of finish, then for each task: id, fence, result ('' for none).
-- Returns for each: 1 done (or done before by the same claim, whose reply was lost), 2 done and its parents are to be told,
-- 0 the fence differs. A task with children that have not ended waits for them.
limits = {tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])}
local answers = {}
for i = 4, #ARGV, 3 do
    local id, fence, result = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    local key = task_key(id)
    local task = redis.call('HMGET', key, 'state', 'run', 'priority', 'more')
    local held_fence, started = parts_of(task[2])
    if held_fence ~= fence then
        answers[#answers + 1] = 0
    else
        -- unique, parents, open, held, history, progress, cancel
        local more = {}
        if task[4] then
            more = redis.call('HMGET', key, 'unique', 'parents', 'open', 'held', 'history', 'progress', 'cancel')
        end
        local open = more[3]
        if task[1] == 'running' then
            stop_running(id, key, task[3], more[4])
            observe('run', task[3], now - tonumber(started))
            -- What only another run would need is dropped: the record is kept for its state and its result.
            if more[5] then redis.call('HDEL', key, 'history', 'error') end
            if more[6] then redis.call('HDEL', key, 'progress', 'message') end
            if more[7] then redis.call('HDEL', key, 'cancel') end
            if open then
                redis.call('HSET', key, 'state', 'waiting', 'result', result)
                if open == '0' then
                    end_parent(id, key, task[3])
                else
                    redis.call('ZADD', waiting_parents, now, id)
                    count('waiting', task[3], 1)
                    announce(id, key)
                end
            elseif result == '' then
                finish(id, key, 'completed', {more[1], more[2], false, more[6]}, 'payload', '')
            else
                finish(id, key, 'completed', {more[1], more[2], false, more[6]}, 'payload', '', 'result', result)
            end
        end
        answers[#answers + 1] = more[2] and 2 or 1
    end
end
return answers
