-- Removes events that are older than the retention and that every group has acknowledged.
-- KEYS[1] stream; ARGV[1] milliseconds of retention, ARGV[2] greatest length
-- Returns how many were removed.
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[1]
if oldest < 0 then
    oldest = 0
end
local needed = string.format('%d-0', oldest)
local function parts(position)
    local milliseconds, sequence = string.match(position, '^(%d+)-(%d+)$')
    return tonumber(milliseconds), tonumber(sequence)
end
local function keep(position)
    local milliseconds, sequence = parts(position)
    local needed_milliseconds, needed_sequence = parts(needed)
    if milliseconds < needed_milliseconds
        or (milliseconds == needed_milliseconds and sequence < needed_sequence) then
        needed = position
    end
end
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if groups.err then
    return 0
end
for _, group in ipairs(groups) do
    local fields = {}
    for index = 1, #group, 2 do
        fields[group[index]] = group[index + 1]
    end
    keep(fields['last-delivered-id'])
    if fields['pending'] > 0 then
        keep(redis.call('XPENDING', KEYS[1], fields['name'])[2])
    end
end
local removed = redis.call('XTRIM', KEYS[1], 'MINID', '~', needed)
return removed + redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[2])
