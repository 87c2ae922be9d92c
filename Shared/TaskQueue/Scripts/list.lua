-- One page of a collection of tasks.
-- ARGV: collection (leases, scheduled, dead, finished, ready:high…), cursor ('' for the first page), most entries.
-- Lists and due times run from the first to come, dead and finished from the newest.
-- Returns {next cursor or '', {{id, fields…}…}}.
local collection, cursor, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local key = base .. collection
local ids, next_cursor = {}, ''
if string.sub(collection, 1, 6) == 'ready:' then
    local start = tonumber(cursor) or 0
    ids = redis.call('LRANGE', key, start, start + most - 1)
    if #ids == most then next_cursor = tostring(start + most) end
else
    local newest_first = collection == 'dead' or collection == 'finished'
    local start = 0
    if cursor ~= '' then
        -- score/id of the last entry of the page before. When it has gone, go on at its score: better twice than never.
        local score, id = string.match(cursor, '^(%d+)/(.*)$')
        if not score then return redis.error_reply('ERR malformed cursor') end
        local rank = redis.call(newest_first and 'ZREVRANK' or 'ZRANK', key, id)
        if rank then
            start = rank + 1
        elseif newest_first then
            start = redis.call('ZCOUNT', key, '(' .. score, '+inf')
        else
            start = redis.call('ZCOUNT', key, '-inf', '(' .. score)
        end
    end
    local found = redis.call(newest_first and 'ZREVRANGE' or 'ZRANGE', key, start, start + most - 1, 'WITHSCORES')
    for i = 1, #found, 2 do ids[#ids + 1] = found[i] end
    if #ids == most then next_cursor = found[#found] .. '/' .. found[#found - 1] end
end
local tasks = {}
for _, id in ipairs(ids) do
    local fields = redis.call('HGETALL', task_key(id))
    -- Ghosts of cancelled tasks and expired records have nothing to show here.
    if #fields > 0 then tasks[#tasks + 1] = {id, fields} end
end
return {next_cursor, tasks}
