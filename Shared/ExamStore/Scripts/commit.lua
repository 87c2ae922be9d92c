-- One optimistic transaction on records of one partition: every condition is checked first, then all changes are made,
-- events included; or nothing happens.
--
-- With the prelude of position-checked effects before it (else with `local effect_guard = nil`), the first two keys and
-- three arguments are the prelude's.
-- KEYS  every key the transaction touches
-- ARGV  conditions, the word `then`, changes; a key is given by its index in KEYS
--       conditions: field K name value ('' = no such field) | missing K | exists K | empty K (sorted set)
--       changes:    set K n (field value)*n | unset K field | add K field amount | delete K
--                   rank K score member | append K counters field member | copy K source member | remove K member
--                   drop K counters field member (when the counter is not above 0)
--                   cap K companion n (keeps the n highest; their fields go from the companion hash)
--                   event K n (n words: field value …)
--                   audit K n m (m words): an entry of the audit log, which keeps about n
--                   count K stream field amount total n (n words): adds, and makes the event when that reaches the total
--                   finish K stream member n (n words): removes the member, and makes the event if it was the last
-- Returns OK; CONFLICT when a condition does not hold; STALE or APPLIED when the prelude refuses.

if effect_guard then
  local refusal = effect_guard.check()
  if refusal then return refusal end
end
local at = effect_guard and 3 or 0
local first_key = effect_guard and 2 or 0
local function take()
  at = at + 1
  return ARGV[at]
end
local function key()
  return KEYS[first_key + tonumber(take())]
end
local function pairsOf()
  local list = {}
  for i = 1, 2 * tonumber(take()) do
    list[i] = take()
  end
  return list
end

local function add_event(stream)
  local count = tonumber(take())
  redis.call('XADD', stream, '*', unpack(ARGV, at + 1, at + count))
  at = at + count
end

local kind = take()
while kind ~= 'then' do
  local k = key()
  if kind == 'field' then
    local name = take()
    if (redis.call('HGET', k, name) or '') ~= take() then return 'CONFLICT' end
  elseif kind == 'missing' then
    if redis.call('EXISTS', k) ~= 0 then return 'CONFLICT' end
  elseif kind == 'exists' then
    if redis.call('EXISTS', k) == 0 then return 'CONFLICT' end
  elseif kind == 'empty' then
    if redis.call('ZCARD', k) ~= 0 then return 'CONFLICT' end
  else
    return redis.error_reply('ERR unknown condition ' .. kind)
  end
  kind = take()
end

if effect_guard then effect_guard.record() end
while at < #ARGV do
  kind = take()
  local k = key()
  if kind == 'set' then
    redis.call('HSET', k, unpack(pairsOf()))
  elseif kind == 'unset' then
    redis.call('HDEL', k, take())
  elseif kind == 'add' then
    local name = take()
    redis.call('HINCRBY', k, name, take())
  elseif kind == 'delete' then
    redis.call('UNLINK', k)
  elseif kind == 'rank' then
    local score = take()
    redis.call('ZADD', k, score, take())
  elseif kind == 'append' then
    local counters = key()
    local score = redis.call('HINCRBY', counters, take(), 1)
    redis.call('ZADD', k, score, take())
  elseif kind == 'copy' then
    local source = key()
    local member = take()
    local score = redis.call('ZSCORE', source, member)
    if score then redis.call('ZADD', k, score, member) end
  elseif kind == 'remove' then
    redis.call('ZREM', k, take())
  elseif kind == 'drop' then
    local counters = key()
    local count = tonumber(redis.call('HGET', counters, take()) or '0')
    local member = take()
    if count <= 0 then redis.call('ZREM', k, member) end
  elseif kind == 'cap' then
    local companion = key()
    local surplus = redis.call('ZCARD', k) - tonumber(take())
    if surplus > 0 then
      for _, member in ipairs(redis.call('ZRANGE', k, 0, surplus - 1)) do
        redis.call('HDEL', companion, member)
      end
      redis.call('ZREMRANGEBYRANK', k, 0, surplus - 1)
    end
  elseif kind == 'event' then
    add_event(k)
  elseif kind == 'audit' then
    local most = take()
    local count = tonumber(take())
    redis.call('XADD', k, 'MAXLEN', '~', most, '*', unpack(ARGV, at + 1, at + count))
    at = at + count
  elseif kind == 'count' then
    local stream = key()
    local field = take()
    local amount = tonumber(take())
    local total = tonumber(take())
    local now = redis.call('HINCRBY', k, field, amount)
    if now >= total and now - amount < total then
      add_event(stream)
    else
      at = at + tonumber(take())
    end
  elseif kind == 'finish' then
    local stream = key()
    if redis.call('ZREM', k, take()) == 1 and redis.call('EXISTS', k) == 0 then
      add_event(stream)
    else
      at = at + tonumber(take())
    end
  else
    return redis.error_reply('ERR unknown change ' .. kind)
  end
end
return 'OK'
