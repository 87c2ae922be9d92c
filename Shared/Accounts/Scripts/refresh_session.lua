-- Exchanges the secret of a session for another. A secret that was exchanged before has been stolen, by whoever shows it
-- now or by whoever showed it first: the session and its access tokens are void. Only right after the exchange it is good
-- again, for another secret beside the first: the answer was lost, or two windows of a browser came at the same time.
-- KEYS  1 hash of records, 2 revoked users, 3 the user's sessions, 4 revoked identifiers, 5 stream of revocations
-- ARGV  1 user, 2 session, 3 hash of the secret shown, 4 hash of the next one, 5 milliseconds an access token lives,
--       6 milliseconds a secret is good after its exchange, 7 most secrets beside each other
-- Returns {'OK', issued at, session ends at, the user's record}, {'REUSED', end of its last token}, or {'NONE'}.
local text = redis.call('HGET', KEYS[3], ARGV[2])
if not text then return { 'NONE' } end
local session = cjson.decode(text)
local now = milliseconds()

local function holds(secrets, shown)
  for _, secret in ipairs(secrets or {}) do
    if secret == shown then return true end
  end
  return false
end

local record = redis.call('HGET', KEYS[1], ARGV[1])
if session.expires <= now or not record or cjson.decode(record).disabledAt then
  redis.call('HDEL', KEYS[3], ARGV[2])
  return { 'NONE' }
end
local current = session.beside or {}
current[#current + 1] = session.secret
if holds(current, ARGV[3]) then
  session.before, session.exchanged, session.beside = current, now, nil
elseif holds(session.before, ARGV[3]) and now < session.exchanged + tonumber(ARGV[6]) and #current < tonumber(ARGV[7]) then
  session.beside = current
else
  redis.call('HDEL', KEYS[3], ARGV[2])
  revoke_id(KEYS[4], KEYS[5], ARGV[2], ARGV[1], session.tokens)
  return { 'REUSED', session.tokens }
end
local issued = issue_time(KEYS[2], ARGV[1])
session.secret = ARGV[4]
session.tokens = math.max(session.tokens, issued + tonumber(ARGV[5]))
redis.call('HSET', KEYS[3], ARGV[2], cjson.encode(session))
return { 'OK', issued, session.expires, record }
