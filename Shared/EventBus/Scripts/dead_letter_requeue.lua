-- Appends dead letters to the stream again, for the group that failed on them alone, and removes them.
-- KEYS[1] stream, KEYS[2] dead letters, KEYS[3] stream of large data
-- ARGV[1] bytes of data an entry holds, ARGV[2…] positions of the dead letters, in their order
-- Returns the new positions.
local header = { group = true, position = true, handler = true, error = true, deliveries = true, onlygroup = true }
local positions = {}
for at = 2, #ARGV do
    local dead = ARGV[at]
    local entry = redis.call('XRANGE', KEYS[2], dead, dead)[1]
    if entry then
        local fields, group, whole, aside = {}, '', false, nil
        local parts = entry[2]
        for index = 1, #parts, 2 do
            local name, value = parts[index], parts[index + 1]
            if name == 'group' then
                group = value
            end
            whole = whole or name == 'id'
            if name == 'data' and #value > tonumber(ARGV[1]) then
                aside = value
                name, value = 'dataaside', #value
            end
            if not header[name] then
                fields[#fields + 1] = name
                fields[#fields + 1] = value
            end
        end
        -- What was trimmed before it could be copied stays as a record of the loss.
        if whole then
            fields[#fields + 1] = 'onlygroup'
            fields[#fields + 1] = group
            local position = redis.call('XADD', KEYS[1], '*', unpack(fields))
            if aside then
                redis.call('XADD', KEYS[3], position, 'data', aside)
            end
            positions[#positions + 1] = position
            redis.call('XDEL', KEYS[2], dead)
        end
    end
end
return positions
