-- What the queue has done.
-- Returns {all counters of stats by name, what happened in the last minute, in the last ten, reports of workers as JSON}:
-- each of the first three a flat list of names and numbers; minutes end with the last full ten seconds.
local function happened(slots)
    local sums = {}
    local current = math.floor(now / 10000)
    for slot = current - slots, current - 1 do
        local counts = redis.call('HGETALL', base .. 'rate:' .. slot)
        for i = 1, #counts, 2 do sums[counts[i]] = (sums[counts[i]] or 0) + tonumber(counts[i + 1]) end
    end
    local flat = {}
    for what, sum in pairs(sums) do
        flat[#flat + 1] = what
        flat[#flat + 1] = sum
    end
    return flat
end
local reports = {}
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', workers, now - 60000, '+inf', 'LIMIT', 0, 1000)) do
    local report = redis.call('GET', base .. 'worker:' .. worker)
    if report then reports[#reports + 1] = report end
end
return {redis.call('HGETALL', stats), happened(6), happened(60), reports}
