-- Takes back that a try was counted as failed: it succeeded, or was not made at all.
-- KEYS  1 failures of the name, 2 failures from the address
-- ARGV  1 `succeeded` or `undone`
if ARGV[1] == 'succeeded' then redis.call('UNLINK', KEYS[1]) end
for i = ARGV[1] == 'succeeded' and 2 or 1, 2 do
  if tonumber(redis.call('GET', KEYS[i]) or 0) > 0 then redis.call('DECR', KEYS[i]) end
end
return 0
