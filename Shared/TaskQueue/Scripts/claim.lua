-- Gives a worker up to n tasks, each under a lease and with a new fence.
-- ARGV: n, lease in ms, worker.
-- Returns {ms until the next scheduled task or -1, {task…}}, or {-1, {}} when the queue is paused.
-- A task is {id, fence, attempt, reports, priority, payload, origin, condemned, outages}, the last two false where absent.
local n = tonumber(ARGV[1])
local leased_until, worker = string.format('%d', now + tonumber(ARGV[2])), ARGV[3]
local settings = redis.call('HMGET', control, 'slot', 'fence', 'paused', 'limit', 'exam_limit')
if settings[3] then return {-1, {}} end
promote(100)

local names = {'state', 'priority', 'attempt', 'due', 'payload', 'origin', 'more'}
local slot = tonumber(settings[1] or 0)
-- Fences follow the clock, so that none is given twice even when Redis lost its last second in a crash.
local fence = math.max(tonumber(settings[2] or 0), now_us)
local limit, exam_limit = tonumber(settings[4]), tonumber(settings[5])
-- Where the queue's own limit bounds the claim, whoever ends a task and claims again goes on.
local most = n
if limit then most = math.max(0, math.min(n, limit - redis.call('ZCARD', leases))) end
local claimed, leased = {}, {}
local run_end = ' ' .. now_text .. ' ' .. worker
local passed = 0

-- The head of each list, read in parts; what was taken is removed at the end of a part.
local heads = {}
for _, priority in ipairs(priorities) do heads[priority] = {ids = {}, taken = 0, is_last = false} end

local function take(priority)
    local head = heads[priority]
    if head.taken == #head.ids and not head.is_last then
        if head.taken > 0 then redis.call('LPOP', ready_key(priority), head.taken) end
        head.ids, head.taken = redis.call('LRANGE', ready_key(priority), 0, most - 1), 0
        head.is_last = #head.ids < most
    end
    local id = head.ids[head.taken + 1]
    if id then head.taken = head.taken + 1 end
    return id
end

local function next_id(number)
    -- Every 8th slot starts at normal and every 32nd at low: no priority starves, high still has 7 of 8.
    local order = priorities
    if number % 32 == 0 then
        order = {'low', 'high', 'normal'}
    elseif number % 8 == 0 then
        order = {'normal', 'high', 'low'}
    end
    for _, priority in ipairs(order) do
        local id = take(priority)
        if id then return id, priority end
    end
end

while #claimed < most and passed < 1000 do
    local number = slot + 1
    local id, list = next_id(number)
    if not id then break end
    local key = task_key(id)
    local task = redis.call('HMGET', key, unpack(names))
    local exam = exam_limit and exam_of(task[6])
    if task[1] ~= 'ready' or task[2] ~= list then
        passed = passed + 1
        drop_ghost(id, list)
    elseif exam and tonumber(redis.call('HGET', exams, exam) or 0) >= exam_limit then
        passed = passed + 1
        park(id, key, list, exam, task[4])
    else
        slot = number
        fence = fence + 1
        local attempt, reports = tonumber(task[3] or 0), 0
        local condemned, outages = false, false
        if task[7] then condemned, outages = unpack(redis.call('HMGET', key, 'condemned', 'outages')) end
        if condemned then
            -- Condemned: this is no attempt, only another try to tell the handler.
            reports = redis.call('HINCRBY', key, 'reports', 1)
        else
            attempt = attempt + 1
        end
        redis.call('HSET', key, 'state', 'running', 'attempt', attempt, 'run', string.format('%d', fence) .. run_end)
        if exam then
            redis.call('HINCRBY', exams, exam, 1)
            redis.call('HSET', key, 'held', exam, 'more', 1)
        end
        leased[#leased + 1] = leased_until
        leased[#leased + 1] = id
        count('running', list, 1)
        observe('wait', list, math.max(0, now - tonumber(task[4])))
        claimed[#claimed + 1] = {id, fence, attempt, reports, list, task[5], task[6], condemned, outages}
    end
end
for priority, head in pairs(heads) do
    if head.taken > 0 then redis.call('LPOP', ready_key(priority), head.taken) end
end
in_parts('ZADD', leases, leased)
if #claimed > 0 then redis.call('HSET', control, 'slot', slot, 'fence', string.format('%d', fence)) end
-- A worker that got less than it asked for waits for the bell or the next due time itself. One that is full hands that
-- duty on to the next that waits.
local due = next_due()
local is_full = limit and #claimed == most and most < n
if ((#claimed == n and due >= 0) or any_ready()) and not is_full then ring() end
return {due, claimed}
