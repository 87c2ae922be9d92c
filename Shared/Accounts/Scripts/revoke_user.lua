-- Takes back everything that was granted to a user, known here or not, with the entry of the audit log.
-- KEYS  1 audit stream, 2 revoked users, 3 stream of revocations, 4 the user's sessions
-- ARGV  1 user, 2 milliseconds of the longest token, 3 greatest length of the audit stream, 4… the audit entry
-- Returns the milliseconds of the revocation.
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', unpack(ARGV, 4))
return revoke_user(KEYS[2], KEYS[3], KEYS[4], ARGV[1], tonumber(ARGV[2]))
