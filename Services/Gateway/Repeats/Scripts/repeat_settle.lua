-- The owner of a request gives a sign of life, keeps its answer, or lets it go.
-- KEYS  1 hash of the request
-- ARGV  1 owner, 2 milliseconds until it is forgotten, 0 for at once, 3… status, headers and body of the answer, if any
-- Returns 1, or 0 when it belongs to another by now
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then
  redis.call('UNLINK', KEYS[1])
  return 1
end
if ARGV[3] then redis.call('HSET', KEYS[1], 'status', ARGV[3], 'headers', ARGV[4], 'body', ARGV[5]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
