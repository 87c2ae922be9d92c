-- Prepended to scripts that change state and report it in one step; see EventCodec.arguments.
-- Appends the event whose argument count is in ARGV[at] to `stream`; returns its position and the index after it.
local function append_event(stream, at)
    local count = tonumber(ARGV[at])
    local position = redis.call('XADD', stream, '*', unpack(ARGV, at + 1, at + count))
    return position, at + count + 1
end
