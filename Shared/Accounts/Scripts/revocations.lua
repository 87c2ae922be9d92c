-- All that is revoked and would live otherwise, and where the stream of revocations goes on from there.
-- KEYS  1 revoked users, 2 revoked identifiers, 3 stream of revocations
-- ARGV  1 milliseconds of the longest token
-- Returns {position, [user, time, …], [`identifier user`, end, …]}.
local now = milliseconds()
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[1]))
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
return {
  last[1] and last[1][1] or '0-0',
  redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'),
  redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES'),
}
