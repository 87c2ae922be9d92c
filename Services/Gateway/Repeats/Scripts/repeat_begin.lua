-- A request that may be repeated begins, or finds what became of it.
-- KEYS  1 hash of the request: fingerprint, owner, status, headers, body
-- ARGV  1 fingerprint, 2 owner, 3 milliseconds the request belongs to its owner without a sign of life
-- Returns BEGUN; BUSY while another runs it; OTHER when the key was used for another request; else the answer as
-- {status, headers, body}
local known = redis.call('HMGET', KEYS[1], 'fingerprint', 'status', 'headers', 'body')
if not known[1] then
  redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'owner', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return 'BEGUN'
end
if known[1] ~= ARGV[1] then return 'OTHER' end
if not known[2] then return 'BUSY' end
return {known[2], known[3], known[4]}
