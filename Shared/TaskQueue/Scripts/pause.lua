-- Pauses (ARGV[1] = 1) or resumes (0) claiming. Running tasks go on. Returns 1 if that changed anything.
local paused = redis.call('HEXISTS', control, 'paused')
if ARGV[1] == '1' then
    redis.call('HSETNX', control, 'paused', now)
    return 1 - paused
end
redis.call('HDEL', control, 'paused')
ring()
return paused
