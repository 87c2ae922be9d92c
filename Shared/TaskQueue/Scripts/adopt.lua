-- Notes the children of a running task, before they are submitted. One that is known already stays as it is.
-- ARGV: id, fence, most children of a task, then the type and id of each child, `type/id`.
-- Returns 1 noted, 0 the fence differs, -1 there would be too many.
local id, fence, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local key = task_key(id)
local task = redis.call('HMGET', key, 'state', 'run', 'children')
if task[1] ~= 'running' or parts_of(task[2]) ~= fence then return 0 end
if tonumber(task[3] or 0) + #ARGV - 3 > most then
    local new = 0
    for i = 4, #ARGV do new = new + 1 - redis.call('HEXISTS', children_key(id), ARGV[i]) end
    if tonumber(task[3] or 0) + new > most then return -1 end
end
local new = 0
for i = 4, #ARGV do new = new + redis.call('HSETNX', children_key(id), ARGV[i], '') end
redis.call('HINCRBY', key, 'children', new)
redis.call('HINCRBY', key, 'open', new)
redis.call('HSET', key, 'more', 1)
return 1
