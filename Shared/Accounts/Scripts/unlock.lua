-- Forgets the failed sign-ins of a name, with the entry of the audit log.
-- KEYS  1 failures of the name, 2 audit stream
-- ARGV  1 greatest length of the audit stream, 2… the audit entry
redis.call('UNLINK', KEYS[1])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', unpack(ARGV, 2))
return 0
