-- Limits how many tasks run at the same time: ARGV[1] of the whole queue, ARGV[2] of one exam; '' for no limit.
for i, name in ipairs({'limit', 'exam_limit'}) do
    if ARGV[i] == '' then
        redis.call('HDEL', control, name)
    else
        redis.call('HSET', control, name, ARGV[i])
    end
end
unpark_all()
if any_ready() then ring() end
