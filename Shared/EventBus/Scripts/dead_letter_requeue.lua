-- Appends dead letters to the stream again, for the group that failed on them alone, and removes them.
-- KEYS[1] stream, KEYS[2] dead letters; ARGV positions of the dead letters, in their order
-- Returns the new positions.
local header = { group = true, position = true, handler = true, error = true, deliveries = true, onlygroup = true }
local positions = {}
for _, dead in ipairs(ARGV) do
    local entry = redis.call('XRANGE', KEYS[2], dead, dead)[1]
    if entry then
        local fields, group, whole = {}, '', false
        local parts = entry[2]
        for index = 1, #parts, 2 do
            if parts[index] == 'group' then
                group = parts[index + 1]
            end
            whole = whole or parts[index] == 'id'
            if not header[parts[index]] then
                fields[#fields + 1] = parts[index]
                fields[#fields + 1] = parts[index + 1]
            end
        end
        -- What was trimmed before it could be copied stays as a record of the loss.
        if whole then
            fields[#fields + 1] = 'onlygroup'
            fields[#fields + 1] = group
            positions[#positions + 1] = redis.call('XADD', KEYS[1], '*', unpack(fields))
            redis.call('XDEL', KEYS[2], dead)
        end
    end
end
return positions
