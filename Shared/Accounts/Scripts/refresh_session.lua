-- Exchanges the secret of a session for another. A secret that was exchanged before has been stolen, by whoever shows it
-- now or by whoever showed it first: the session and its access tokens are void.
-- KEYS  1 hash of records, 2 revoked users, 3 the user's sessions, 4 revoked identifiers, 5 stream of revocations
-- ARGV  1 user, 2 session, 3 hash of the secret shown, 4 hash of the next one, 5 milliseconds an access token lives
-- Returns {'OK', issued at, session ends at, the user's record}, {'REUSED', end of its last token}, or {'NONE'}.
local text = redis.call('HGET', KEYS[3], ARGV[2])
if not text then return { 'NONE' } end
local session = cjson.decode(text)
local record = redis.call('HGET', KEYS[1], ARGV[1])
if session.expires <= milliseconds() or not record or cjson.decode(record).disabledAt then
  redis.call('HDEL', KEYS[3], ARGV[2])
  return { 'NONE' }
end
if session.secret ~= ARGV[3] then
  redis.call('HDEL', KEYS[3], ARGV[2])
  revoke_id(KEYS[4], KEYS[5], ARGV[2], ARGV[1], session.tokens)
  return { 'REUSED', session.tokens }
end
local issued = issue_time(KEYS[2], ARGV[1])
session.secret = ARGV[4]
session.tokens = math.max(session.tokens, issued + tonumber(ARGV[5]))
redis.call('HSET', KEYS[3], ARGV[2], cjson.encode(session))
return { 'OK', issued, session.expires, record }
