-- Opens a session for a user whose password was right, unless it has been changed since or the user disabled.
-- KEYS  1 hash of records, 2 revoked users, 3 the user's sessions
-- ARGV  1 user, 2 hash of the password that was right, 3 session, 4 hash of its secret, 5 milliseconds an access token
--       lives, 6 milliseconds the session lives, 7 most sessions of a user: the oldest beyond it go
-- Returns {issued at, session ends at, the user's record}, or {} when it is not opened.
local record = redis.call('HGET', KEYS[1], ARGV[1])
if not record then return {} end
local user = cjson.decode(record)
if user.passwordHash ~= ARGV[2] or user.disabledAt then return {} end
local now = milliseconds()
local issued = issue_time(KEYS[2], ARGV[1])

local stored = redis.call('HGETALL', KEYS[3])
local open = {}
for i = 1, #stored, 2 do
  local session = cjson.decode(stored[i + 1])
  if session.expires <= now then
    redis.call('HDEL', KEYS[3], stored[i])
  else
    open[#open + 1] = { session.opened, stored[i] }
  end
end
table.sort(open, function(a, b) return a[1] < b[1] end)
for i = 1, #open - tonumber(ARGV[7]) + 1 do
  redis.call('HDEL', KEYS[3], open[i][2])
end

local lifetime = tonumber(ARGV[6])
local session = { secret = ARGV[4], opened = issued, expires = now + lifetime, tokens = issued + tonumber(ARGV[5]) }
redis.call('HSET', KEYS[3], ARGV[3], cjson.encode(session))
if redis.call('PTTL', KEYS[3]) < lifetime then redis.call('PEXPIRE', KEYS[3], lifetime) end
return { issued, now + lifetime, record }
