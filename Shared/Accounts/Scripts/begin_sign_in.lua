-- Lets somebody try a password, unless too many tries have failed. The try counts as failed until it is known to be none:
-- so many at once are no way around the limit.
-- KEYS  1 failures of the name, 2 failures from the address
-- ARGV  1 most of the first, 2 most of the second, 0 for any number of either, 3 milliseconds after which they are
--       forgotten, from the first one on
-- Returns 0, or the milliseconds until the next try is allowed.
local wait = 0
for i = 1, 2 do
  local most = tonumber(ARGV[i])
  if most > 0 and tonumber(redis.call('GET', KEYS[i]) or 0) >= most then
    wait = math.max(wait, redis.call('PTTL', KEYS[i]), 1)
  end
end
if wait > 0 then return wait end
for i = 1, 2 do
  if tonumber(ARGV[i]) > 0 and redis.call('INCR', KEYS[i]) == 1 then
    redis.call('PEXPIRE', KEYS[i], ARGV[3])
  end
end
return 0
