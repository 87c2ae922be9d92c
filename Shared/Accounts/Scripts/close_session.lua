-- Voids a session with its access tokens, or a token of no session.
-- KEYS  1 the user's sessions, 2 revoked identifiers, 3 stream of revocations
-- ARGV  1 user, 2 session or token, 3 milliseconds at which the caller's own token ends, 0 for none
-- Returns the milliseconds at which the last token that carries the identifier ends.
local ending = tonumber(ARGV[3])
local text = redis.call('HGET', KEYS[1], ARGV[2])
if text then
  ending = math.max(ending, cjson.decode(text).tokens)
  redis.call('HDEL', KEYS[1], ARGV[2])
end
revoke_id(KEYS[2], KEYS[3], ARGV[2], ARGV[1], ending)
return ending
