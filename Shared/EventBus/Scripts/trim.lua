-- Removes events that are older than the retention and that no live group needs, and the oldest beyond the greatest
-- length; their large data goes with them. Counts what groups lose by it.
-- KEYS[1] stream, KEYS[2] stream of large data, KEYS[3] until when each group counts as live, KEYS[4] losses by group
-- ARGV[1] milliseconds of retention, ARGV[2] greatest length, ARGV[3] milliseconds a group lives without a sign
-- Returns how many events were removed, how many of them some group had not handled, and the groups forgotten.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function parts(position)
    local milliseconds, sequence = string.match(position, '^(%d+)-(%d+)$')
    return tonumber(milliseconds), tonumber(sequence)
end
local function is_less(left, right)
    local left_milliseconds, left_sequence = parts(left)
    local right_milliseconds, right_sequence = parts(right)
    return left_milliseconds < right_milliseconds
        or (left_milliseconds == right_milliseconds and left_sequence < right_sequence)
end
local function dictionary(list)
    local fields = {}
    for index = 1, #list, 2 do
        fields[list[index]] = list[index + 1]
    end
    return fields
end
local replies = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if replies.err then
    return { 0, 0, {} }
end
local needed = string.format('%.0f-0', math.max(0, now - ARGV[1]))
local groups, forgotten = {}, {}
for _, reply in ipairs(replies) do
    local group = dictionary(reply)
    local live_until = tonumber(redis.call('HGET', KEYS[3], group['name']) or nil)
    if not live_until then
        -- Made by hand or by an earlier release: its time begins now.
        live_until = now + ARGV[3]
        redis.call('HSET', KEYS[3], group['name'], string.format('%.0f', live_until))
    end
    if live_until > now then
        if is_less(group['last-delivered-id'], needed) then
            needed = group['last-delivered-id']
        end
        if group['pending'] > 0 then
            local oldest = redis.call('XPENDING', KEYS[1], group['name'])[2]
            if is_less(oldest, needed) then
                needed = oldest
            end
        end
        groups[#groups + 1] = group
    else
        forgotten[#forgotten + 1] = group['name']
        if string.sub(group['name'], 1, 7) == 'replay:' then
            redis.call('XGROUP', 'DESTROY', KEYS[1], group['name'])
            redis.call('HDEL', KEYS[3], group['name'])
        else
            group.is_forgotten = true
            groups[#groups + 1] = group
        end
    end
end
local function first_entry()
    return redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
end
local function read_until(group, added, coming)
    group['entries-read'] = added - coming
    redis.call('XGROUP', 'SETID', KEYS[1], group['name'], group['last-delivered-id'], 'ENTRIESREAD', added - coming)
end
local first = first_entry()
local stream = dictionary(redis.call('XINFO', 'STREAM', KEYS[1]))
for _, group in ipairs(groups) do
    local delivered, read = group['last-delivered-id'], group['entries-read']
    if read and first and not is_less(delivered, first[1]) then
        -- All that is still to come is there, so nothing is lost; but after a restart Redis 7.0 counts among it what the
        -- group was given before.
        local expected, coming = stream['entries-added'] - read, nil
        if delivered == stream['last-generated-id'] then
            coming = 0
        elseif expected <= 10000 then
            coming = #redis.call('XRANGE', KEYS[1], '(' .. delivered, '+', 'COUNT', math.max(1, expected))
        end
        if coming and coming ~= expected then
            read_until(group, stream['entries-added'], coming)
        end
    end
end

local removed = redis.call('XTRIM', KEYS[1], 'MINID', '~', needed)
removed = removed + redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[2])

first = first_entry()
if first then
    redis.call('XTRIM', KEYS[2], 'MINID', first[1])
else
    redis.call('DEL', KEYS[2])
end
stream = dictionary(redis.call('XINFO', 'STREAM', KEYS[1]))
local lost = 0
for _, group in ipairs(groups) do
    local name, losses = group['name'], 0
    local read = group['entries-read']
    if read and (not first or is_less(group['last-delivered-id'], first[1])) then
        -- Removed before they were given out, by whomever, publishers beyond the greatest length included: Redis counts
        -- them among those still to come, unless it is told.
        losses = math.max(0, stream['entries-added'] - read - stream['length'])
        if losses > 0 then
            read_until(group, stream['entries-added'], stream['length'])
        end
    end
    -- Given out and removed before they were acknowledged. A live group's next owner finds and counts them itself.
    if group.is_forgotten and group['pending'] > 0 then
        local boundary = first and '(' .. first[1] or '+'
        while true do
            local pending = redis.call('XPENDING', KEYS[1], name, '-', boundary, 1000)
            for _, entry in ipairs(pending) do
                losses = losses + redis.call('XACK', KEYS[1], name, entry[1])
            end
            if #pending < 1000 then
                break
            end
        end
    end
    if losses > 0 then
        redis.call('HINCRBY', KEYS[4], name, losses)
        lost = lost + losses
    end
end
return { removed, lost, forgotten }
