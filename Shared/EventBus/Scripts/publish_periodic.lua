-- Appends an event of the system that is due once per interval. Begins with the prelude of fences.
-- KEYS[1] greatest fence seen, KEYS[2] stream, KEYS[3] exists for an interval after the last one
-- ARGV[1] fence, ARGV[2] milliseconds of the interval, ARGV[3] greatest length of the stream, ARGV[4…] fields and values
-- Returns the position, or false when it is too early or the caller's lock has a later holder.
if fence.is_stale() or not redis.call('SET', KEYS[3], ARGV[1], 'NX', 'PX', ARGV[2]) then
    return false
end
return redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', unpack(ARGV, 4))
