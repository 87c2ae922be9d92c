-- Adds or changes the schedule ARGV[1], whose definition is ARGV[2], or removes it when that is ''.
-- Returns {1 if there was one, else 0; when its waiting task is due, in ms, or ''}.
local name, definition = ARGV[1], ARGV[2]
local definitions, places = base .. 'schedules', base .. 'schedule-places'
local due = redis.call('ZSCORE', places, name)
local existed = redis.call('HEXISTS', definitions, name)
if definition == '' then
    redis.call('HDEL', definitions, name)
    redis.call('ZREM', places, name)
else
    redis.call('HSET', definitions, name, definition)
    -- Due at once: any worker places its first task.
    redis.call('ZADD', places, 0, name)
end
return {existed, due or ''}
