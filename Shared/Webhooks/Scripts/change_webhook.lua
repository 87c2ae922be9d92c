-- Creates, changes or removes a webhook, on condition that the record is what it was, with the entry of the audit log.
-- KEYS  1 hash of records, 2 sorted set of all by id, 3 the same of the owner's, 4 version, 5 state of its deliveries,
--       6 audit stream
-- ARGV  1 webhook, 2 the record as it was ('' = none), 3 as it shall be ('' = none), 4 most of an owner, 5 most in all,
--       6 `forget` to forget earlier failures or '', 7 greatest length of the audit stream, 8… the audit entry
-- Returns 'OK', 'CHANGED' when the record is another, 'OWNER' or 'ALL' when there are too many.
local id = ARGV[1]
if (redis.call('HGET', KEYS[1], id) or '') ~= ARGV[2] then return 'CHANGED' end
if ARGV[2] == '' then
  if redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[4]) then return 'OWNER' end
  if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[5]) then return 'ALL' end
end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
  redis.call('ZREM', KEYS[3], id)
  redis.call('DEL', KEYS[5])
else
  redis.call('HSET', KEYS[1], id, ARGV[3])
  redis.call('ZADD', KEYS[2], 0, id)
  redis.call('ZADD', KEYS[3], 0, id)
end
if ARGV[6] == 'forget' then redis.call('HDEL', KEYS[5], 'failures', 'failing_since') end
redis.call('INCR', KEYS[4])
redis.call('XADD', KEYS[6], 'MAXLEN', '~', ARGV[7], '*', unpack(ARGV, 8))
return 'OK'
