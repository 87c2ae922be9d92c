-- Moves an event that a group could not handle to the dead letters and acknowledges it.
-- KEYS[1] owner, KEYS[2] stream, KEYS[3] dead letters, KEYS[4] stream of large data, KEYS[5] interrupted tries
-- ARGV[1] token, ARGV[2] group, ARGV[3] position, ARGV[4] handler, ARGV[5] error, ARGV[6] deliveries,
-- ARGV[7] greatest number of dead letters
-- Returns the position of the dead letter, false when it was acknowledged before, or 'STALE'.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 'STALE'
end
for _, mark in ipairs(redis.call('HKEYS', KEYS[5])) do
    if string.sub(mark, 1, #ARGV[3] + 1) == ARGV[3] .. ' ' then
        redis.call('HDEL', KEYS[5], mark)
    end
end
-- A repeat after a lost reply must not make a second dead letter.
if redis.call('XACK', KEYS[2], ARGV[2], ARGV[3]) == 0 then
    return false
end
local header = {
    'group', ARGV[2], 'position', ARGV[3], 'handler', ARGV[4], 'error', ARGV[5], 'deliveries', ARGV[6],
}
local entry = redis.call('XRANGE', KEYS[2], ARGV[3], ARGV[3])[1]
if entry then
    local parts = entry[2]
    for index = 1, #parts, 2 do
        local name, value = parts[index], parts[index + 1]
        if name == 'dataaside' then
            -- The dead letter outlives the event, so it holds the data itself.
            local data = redis.call('XRANGE', KEYS[4], ARGV[3], ARGV[3])[1]
            name, value = 'data', data and data[2][2] or ''
        end
        header[#header + 1] = name
        header[#header + 1] = value
    end
end
return redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[7], '*', unpack(header))
