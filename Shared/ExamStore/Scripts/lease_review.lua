-- Gives a user a review under a lease with a new fence, or keeps the lease the user has.
--
-- In a queue stand reviews by their number of arrival, and those under a lease by the time it ends (ms): larger than any
-- number, so both are told apart by the score.
-- KEYS  the exam, its leases, its counters, then queues: those of the user alone first
-- ARGV  user, length of the lease in ms, the least score of a lease, how many queues are the user's alone,
--       the review ('' = the first of the queues)
-- Returns {id, fence, end of the lease}; {} when there is none; {'', holder, end of the lease} when another has it.
local user, most_number, own, wanted = ARGV[1], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local exam, leases, counters = KEYS[1], KEYS[2], KEYS[3]
-- What is written after the exam was cleared away would stay for ever.
if redis.call('EXISTS', exam) == 0 then return {} end
local time = redis.call('TIME')
local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
local now = math.floor(now_us / 1000)
local ends = string.format('%.0f', now + tonumber(ARGV[2]))

local function first(from, to, low, high)
  local best, score, queue
  for i = from, to do
    local entry = redis.call('ZRANGE', KEYS[i], low, high, 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
    if entry[1] and (not score or tonumber(entry[2]) < score) then
      best, score, queue = entry[1], tonumber(entry[2]), KEYS[i]
    end
  end
  return best, queue
end

local id, queue, fence
if wanted ~= '' then
  if not redis.call('ZSCORE', KEYS[4], wanted) then return {} end
  id, queue = wanted, KEYS[4]
  local lease = redis.call('HGET', leases, id)
  if lease then
    local old_fence, old_end, holder = string.match(lease, '^(%d+) (%d+) (.+)$')
    if holder == user then
      fence = old_fence
    elseif tonumber(old_end) > now then
      return {'', holder, old_end}
    end
  end
else
  local past = string.format('%.0f', now)
  for _, range in ipairs({{4, 3 + own}, {4 + own, #KEYS}}) do
    -- What somebody began and did not end has waited longest.
    id, queue = first(range[1], range[2], most_number, past)
    if not id then id, queue = first(range[1], range[2], '-inf', '(' .. most_number) end
    if id then break end
  end
  if not id then return {} end
end

if not fence then
  -- Fences follow the clock, so that none is given twice even when Redis lost its last second in a crash.
  local last = tonumber(redis.call('HGET', counters, 'fence') or '0')
  fence = string.format('%.0f', math.max(last + 1, now_us))
  redis.call('HSET', counters, 'fence', fence)
end
redis.call('HSET', leases, id, fence .. ' ' .. ends .. ' ' .. user)
redis.call('ZADD', queue, ends, id)
return {id, fence, ends}
