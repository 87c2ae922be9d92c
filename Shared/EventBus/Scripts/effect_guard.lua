-- Prepended to the script of every position-checked effect; see EffectGuard.swift.
-- KEYS[1] owner of the partition for the group, KEYS[2] positions applied so far (a hash, one per exam)
-- ARGV[1] fencing token, ARGV[2] field of the hash, ARGV[3] position of the event
local effect_guard = {}

local function position_parts(position)
    local milliseconds, sequence = string.match(position, '^(%d+)-(%d+)$')
    return tonumber(milliseconds), tonumber(sequence)
end

-- Returns 'STALE', 'APPLIED', or nil when the effect is to be made.
function effect_guard.check()
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then
        return 'STALE'
    end
    local applied = redis.call('HGET', KEYS[2], ARGV[2])
    if applied then
        local old_milliseconds, old_sequence = position_parts(applied)
        local milliseconds, sequence = position_parts(ARGV[3])
        if milliseconds < old_milliseconds or (milliseconds == old_milliseconds and sequence <= old_sequence) then
            return 'APPLIED'
        end
    end
    return nil
end

-- Records the position. Called after the effect's own checks, so that a refused effect can be tried again.
function effect_guard.record()
    redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
end
