-- A replica reports that it lives; replicas silent for a minute are forgotten.
-- KEYS  1 zset of replicas by time of their last report, 2 hash replica -> JSON
-- ARGV  1 "<service>/<replica>", 2 JSON, 3 milliseconds of silence after which a replica is forgotten
local now = redis.call('TIME')
local milliseconds = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZADD', KEYS[1], milliseconds, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
local limit = milliseconds - tonumber(ARGV[3])
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', limit, 'LIMIT', 0, 100)) do
  redis.call('ZREM', KEYS[1], member)
  redis.call('HDEL', KEYS[2], member)
end
return milliseconds
