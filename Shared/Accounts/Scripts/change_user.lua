-- Creates, changes or removes a user, on condition that the record is what it was, with the entry of the audit log; and
-- takes back what was granted to the user.
-- KEYS  1 hash of records, 2 sorted set of names, 3 set of administrators who may sign in, 4 audit stream,
--       5 revoked users, 6 stream of revocations, 7 the user's sessions
-- ARGV  1 user, 2 the record as it was ('' = none), 3 as it shall be ('' = none), 4 `admin` for an administrator who may
--       sign in, 5 `revoke` or '', 6 milliseconds of the longest token, 7 greatest length of the audit stream,
--       8… the audit entry
-- Returns {'OK', milliseconds of the revocation or 0}, {'CHANGED'} when the record is another, or {'LAST'} when no
-- administrator would be left.
local user = ARGV[1]
if (redis.call('HGET', KEYS[1], user) or '') ~= ARGV[2] then return { 'CHANGED' } end
if ARGV[4] == '' and redis.call('SISMEMBER', KEYS[3], user) == 1 and redis.call('SCARD', KEYS[3]) == 1 then
  return { 'LAST' }
end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], user)
  redis.call('ZREM', KEYS[2], user)
else
  redis.call('HSET', KEYS[1], user, ARGV[3])
  redis.call('ZADD', KEYS[2], 0, user)
end
redis.call(ARGV[4] == '' and 'SREM' or 'SADD', KEYS[3], user)
redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[7], '*', unpack(ARGV, 8))
if ARGV[5] == '' then return { 'OK', 0 } end
return { 'OK', revoke_user(KEYS[5], KEYS[6], KEYS[7], user, tonumber(ARGV[6])) }
