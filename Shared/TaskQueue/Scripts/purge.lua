-- Removes dead tasks: the one with the id ARGV[1], or when that is '' the oldest ARGV[2]. Returns how many.
local ids = {ARGV[1]}
if ARGV[1] == '' then ids = redis.call('ZRANGE', dead, 0, tonumber(ARGV[2]) - 1) end
local purged = 0
for _, id in ipairs(ids) do
    if redis.call('ZREM', dead, id) == 1 then
        count('dead', redis.call('HGET', task_key(id), 'priority') or 'normal', -1)
        redis.call('DEL', task_key(id), children_key(id))
        purged = purged + 1
    end
end
return purged
