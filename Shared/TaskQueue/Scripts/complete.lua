-- Ends a running task with its result.
-- ARGV: the three limits of finish, id, fence, result.
-- Returns 1 done (or done before by the same claim, whose reply was lost), 0 the fence differs.
local limits = {tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])}
local id, fence, result = ARGV[4], ARGV[5], ARGV[6]
local key = task_key(id)
local task = redis.call('HMGET', key, 'state', 'fence', 'priority')
if task[2] ~= fence then return 0 end
if task[1] ~= 'running' then return 1 end
stop_running(id, task[3])
-- What only another run would need is dropped: the record is kept for its state and its result.
redis.call('HDEL', key, 'payload', 'cancel', 'condemned', 'error', 'max_attempts', 'timeout', 'delays', 'message')
if result ~= '' then redis.call('HSET', key, 'result', result) end
redis.call('HSET', key, 'progress', 1)
finish(id, key, 'completed', limits)
return 1
