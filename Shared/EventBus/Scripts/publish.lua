-- Appends an event unless one with the same deduplication key was appended before.
-- KEYS[1] stream, KEYS[2] deduplication record
-- ARGV[1] milliseconds to remember the key, ARGV[2] greatest length of the stream, ARGV[3…] fields and values
-- Returns the position, of the earlier event if there was one.
local earlier = redis.call('GET', KEYS[2])
if earlier then
    return earlier
end
local position = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', unpack(ARGV, 3))
redis.call('SET', KEYS[2], position, 'PX', ARGV[1])
return position
