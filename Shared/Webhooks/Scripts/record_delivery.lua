-- Notes how an attempt to deliver ended.
-- KEYS  1 hash of records, 2 state of the webhook's deliveries
-- ARGV  1 webhook, 2 status of the answer or '', 3 why it failed, '' when it did not
-- Returns {attempts in a row that failed, milliseconds since the first of them}.
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return { 0, 0 } end
local time = redis.call('TIME')
local now = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000))
if ARGV[3] == '' then
  redis.call('HSET', KEYS[2], 'success', now, 'success_status', ARGV[2])
  redis.call('HDEL', KEYS[2], 'failures', 'failing_since')
  return { 0, 0 }
end
redis.call('HSET', KEYS[2], 'failure', now, 'failure_status', ARGV[2], 'failure_reason', ARGV[3])
redis.call('HSETNX', KEYS[2], 'failing_since', now)
local failures = redis.call('HINCRBY', KEYS[2], 'failures', 1)
return { failures, tonumber(now) - tonumber(redis.call('HGET', KEYS[2], 'failing_since')) }
