-- Appends an event whose data is too large for its entry, and the data beside it under the same position.
-- KEYS[1] stream, KEYS[2] stream of data, KEYS[3] deduplication record
-- ARGV[1] milliseconds to remember the record, '0' for none, ARGV[2] greatest length of the stream, ARGV[3] data,
-- ARGV[4…] fields and values
-- Returns the position, of the earlier event if there was one with the same record.
if ARGV[1] ~= '0' then
    local earlier = redis.call('GET', KEYS[3])
    if earlier then
        return earlier
    end
end
local position = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', unpack(ARGV, 4))
local kept = redis.pcall('XADD', KEYS[2], position, 'data', ARGV[3])
if type(kept) == 'table' and kept.err then
    redis.call('XDEL', KEYS[1], position)
    return kept
end
if ARGV[1] ~= '0' then
    redis.call('SET', KEYS[3], position, 'PX', ARGV[1])
end
return position
