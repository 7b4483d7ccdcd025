-- What the sweep and `farm rm` say: which records of what has ended go, whose turn it is.
--
-- The ledger may have changed since the caller has read it: each looks again. What has ended
-- never goes on, so that it is enough to look at the state.

-- KEYS: sweeper    ARGV: who asks, milliseconds that its turn lasts
local function sweep_turn(keys, args)
  local holder = redis.call('GET', keys[1])
  if holder and holder ~= args[1] then return 0 end
  redis.call('SET', keys[1], args[1], 'PX', args[2])
  return 1
end

-- KEYS: about    ARGV: field, value
-- Returns what is there from now on: the first to say it is right.
local function about_first(keys, args)
  redis.call('HSETNX', keys[1], args[1], args[2])
  return redis.call('HGET', keys[1], args[1])
end

-- KEYS: about    ARGV: field, value, ..
local function about_now(keys, args)
  redis.call('HSET', keys[1], unpack(args))
  return 'OK'
end

-- Whether another job has come to rely on this one since its `used` was read.
local function used_since(job, seen)
  return (redis.call('HGET', job, 'used') or '') ~= seen
end

-- KEYS: job changes recent [idempotency]    ARGV: id, `used` as it was
local function drop_job(keys, args)
  if job_open(keys[1]) then return 'OPEN' end
  if used_since(keys[1], args[2]) then return 'USED' end
  redis.call('DEL', keys[1], keys[2])
  redis.call('LREM', keys[3], 1, args[1])
  if keys[4] and redis.call('GET', keys[4]) == args[1] then redis.call('DEL', keys[4]) end
  return 'OK'
end

-- KEYS: job    ARGV: `used` as it was, fields that name what is let go
local function release_job(keys, args)
  if job_open(keys[1]) then return 'OPEN' end
  if used_since(keys[1], args[1]) then return 'USED' end
  redis.call('HDEL', keys[1], unpack(args, 2))
  return 'OK'
end

-- KEYS: answer    ARGV: receipt and `used` as they were
-- Another job may have been given the answer since, or a session make it anew.
local function drop_answer(keys, args)
  local is = redis.call('HMGET', keys[1], 'receipt', 'used', 'session')
  if is[3] or (is[1] or '') ~= args[1] or (is[2] or '') ~= args[2] then return 'USED' end
  redis.call('DEL', keys[1])
  return 'OK'
end

-- KEYS: session waiters, and the rest of a session's inner life
-- Who still waits has to find how it ended.
local function drop_session(keys, args)
  if running(keys[1]) or redis.call('SCARD', keys[2]) > 0 then return 'OPEN' end
  redis.call('UNLINK', unpack(keys))
  return 'OK'
end

-- KEYS: what has ended    ARGV: seconds that it is kept from now on, if that is longer
local function keep_longer(keys, args)
  for _, key in ipairs(keys) do redis.call('EXPIRE', key, args[1], 'GT') end
  return 'OK'
end

redis.register_function('@VERSION@_sweep_turn', sweep_turn)
redis.register_function('@VERSION@_about_first', about_first)
redis.register_function('@VERSION@_about_now', about_now)
redis.register_function('@VERSION@_drop_job', drop_job)
redis.register_function('@VERSION@_release_job', release_job)
redis.register_function('@VERSION@_drop_answer', drop_answer)
redis.register_function('@VERSION@_drop_session', drop_session)
redis.register_function('@VERSION@_keep_longer', keep_longer)
