-- Before every script of accounts: the time, and how what was granted is taken back.

-- Milliseconds since 1970 by this server, the only clock that orders grants and revocations.
local function milliseconds()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

-- Enough for gateways that read along; one that was away reads everything anew.
local function announce(stream, ...)
  redis.call('XADD', stream, 'MAXLEN', '~', 10000, '*', ...)
end

-- Everything that was granted to a user up to now is void.
-- revoked  sorted set of users by the time of their latest revocation
-- longest  milliseconds after which no token of that time lives
local function revoke_user(revoked, stream, sessions, user, longest)
  local now = milliseconds()
  redis.call('UNLINK', sessions)
  redis.call('ZADD', revoked, now, user)
  redis.call('ZREMRANGEBYSCORE', revoked, '-inf', now - longest)
  announce(stream, 'user', user, 'before', now)
  return now
end

-- What carries an identifier, of a session or of a token, is void; it lives no longer than `ending` anyway.
-- revoked  sorted set of `<identifier> <user>` by the time from which they need not be known any more
local function revoke_id(revoked, stream, id, user, ending)
  local now = milliseconds()
  redis.call('ZREMRANGEBYSCORE', revoked, '-inf', now)
  if ending <= now then return end
  redis.call('ZADD', revoked, ending, id .. ' ' .. user)
  announce(stream, 'id', id, 'user', user, 'until', ending)
end

-- The time to write into a new token: behind every revocation of the user, so that none voids what comes after it.
local function issue_time(revoked, user)
  return math.max(milliseconds(), tonumber(redis.call('ZSCORE', revoked, user) or 0) + 1)
end
