-- The only clock of the queue is that of Redis. Tests put another file in the place of this one.
local clock = redis.call('TIME')
local now_us = clock[1] * 1000000 + clock[2]
