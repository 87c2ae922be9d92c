-- Gives a worker up to n tasks, each under a lease and with a new fence.
-- ARGV: n, lease in ms, worker.
-- Returns {ms until the next scheduled task or -1, {task…}}, or {-1, {}} when the queue is paused.
-- A task is {id, fence, attempt, reports, priority, condemned, payload, exam, …} in the order of `names`, false where absent.
local n = tonumber(ARGV[1])
local lease, worker = tonumber(ARGV[2]), ARGV[3]
if redis.call('HGET', control, 'paused') then return {-1, {}} end
promote(100)

local names = {
    'state', 'priority', 'attempt', 'stalls', 'condemned', 'payload', 'exam', 'correlation', 'causation', 'source',
    'actor', 'traceparent', 'max_attempts', 'timeout', 'delays', 'created',
}
local counters = redis.call('HMGET', control, 'slot', 'fence')
local slot = tonumber(counters[1] or 0)
-- Fences follow the clock, so that none is given twice even when Redis lost its last second in a crash.
local fence = math.max(tonumber(counters[2] or 0), now_us)
local claimed = {}
local ghosts = 0

while #claimed < n and ghosts < 1000 do
    -- Every 8th slot starts at normal and every 32nd at low: no priority starves, high still has 7 of 8.
    local order
    local number = slot + 1
    if number % 32 == 0 then
        order = {'low', 'high', 'normal'}
    elseif number % 8 == 0 then
        order = {'normal', 'high', 'low'}
    else
        order = priorities
    end
    local id, list
    for _, priority in ipairs(order) do
        list = priority
        id = redis.call('LPOP', ready_key(priority))
        if id then break end
    end
    if not id then break end

    local key = task_key(id)
    local task = redis.call('HMGET', key, unpack(names))
    if task[1] == 'ready' and task[2] == list then
        slot = number
        fence = fence + 1
        local attempt, reports = tonumber(task[3] or 0), 0
        if task[5] then
            -- Condemned: this is no attempt, only another try to tell the handler.
            reports = redis.call('HINCRBY', key, 'reports', 1)
        else
            attempt = attempt + 1
        end
        redis.call('HSET', key, 'state', 'running', 'fence', fence, 'attempt', attempt, 'worker', worker, 'started', now)
        redis.call('ZADD', leases, now + lease, id)
        count('running', list, 1)
        claimed[#claimed + 1] = {
            id, fence, attempt, reports, list, task[5], task[6], task[7], task[8], task[9], task[10],
            task[11], task[12], task[13], task[14], task[15], task[16],
        }
    else
        ghosts = ghosts + 1
        count('ghosts', list, -1)
        redis.call('HDEL', key, 'listed')
    end
end
if #claimed > 0 then redis.call('HSET', control, 'slot', slot, 'fence', fence) end
-- A worker that got less than it asked for waits for the bell or the next due time itself. One that is full hands that
-- duty on to the next that waits.
local due = next_due()
if (#claimed == n and due >= 0) or any_ready() then ring() end
return {due, claimed}
