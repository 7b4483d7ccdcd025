-- What clients ask for: submit, cancel, and the same for trace batches.

-- KEYS: job changes open sessions answer session waiters | seq events recent open_sets tenants mine
--       [idempotency]
-- ARGV: id, session name, spec, job key, expected session, receipt seen, it is still there (1|0),
--       cap of open jobs, seconds retained, length of recent, tenant whom quotas bind ('' for none),
--       its most open jobs, its most cycles a day ('' for any), then fields of the job
local function submit(keys, args)
  local job, changes, open, sessions, answer, session, waiters = unpack(keys, 1, 7)
  local seq, events, recent, open_sets, tenants, mine, idem = unpack(keys, 8, 14)
  local id, name, spec, key, expected, seen, there = unpack(args, 1, 7)
  local earlier = idem and redis.call('GET', idem)
  if earlier then return {'KNOWN', earlier} end
  if redis.call('EXISTS', job) == 1 then return {'KNOWN', id} end
  local receipt = redis.call('HGET', answer, 'receipt') or ''
  if receipt ~= seen or (redis.call('HGET', answer, 'session') or '') ~= expected then
    return {'RETRY', id}
  end
  local answered = seen ~= '' and there == '1'
  if not answered and redis.call('SCARD', open) >= tonumber(args[8]) then return {'BUSY', id} end
  local tenant = args[11]
  local over = not answered and over_quota(tenants, tenant, args[12], args[13])
  if over then return {over, id} end
  redis.call('HSET', job, 'spec', spec, 'key', key, 'created', now(),
    'seq', redis.call('INCR', seq), unpack(args, 14))
  if idem then redis.call('SET', idem, id, 'EX', args[9]) end
  redis.call('LPUSH', recent, id)
  redis.call('LTRIM', recent, 0, args[10] - 1)
  redis.call('ZREMRANGEBYSCORE', mine, '-inf', now() - args[9])
  redis.call('ZADD', mine, now(), id)
  if answered then
    local kept = redis.call('HMGET', answer, 'journal', 'stats', 'made')
    redis.call('HSET', job, 'state', 'SUCCEEDED', 'receipt', seen, 'journal', kept[1],
      'stats', kept[2], 'session', kept[3], 'finished', now())
    redis.call('HSET', answer, 'used', now())
    join_set(open_sets, job, id)
    tell(changes, 'state', 'SUCCEEDED', 'text', 'answered from the store')
    keep(args[9], job, changes, answer)
    return {'ANSWERED', id}
  end
  if seen ~= '' then redis.call('HDEL', answer, 'receipt') end
  redis.call('HSET', job, 'state', 'ACCEPTED')
  redis.call('SADD', open, id)
  opened(tenants, job, tenant)
  local fresh = attach({job, answer, sessions, session, waiters}, {id, name, spec, key})
  redis.call('XADD', events, '*', 'type', 'job', 'job', id, 'session', name)
  tell(changes, 'state', 'ACCEPTED', 'text', fresh and 'accepted' or 'joined a running session')
  return {fresh and 'NEW' or 'ATTACHED', id}
end

-- KEYS: guests    ARGV: image id, Registered
local function register(keys, args)
  redis.call('HSET', keys[1], args[1], args[2])
  return 'OK'
end

-- KEYS: open_sets closed, then jobs    ARGV: job of the set, its spec, then the ids of the jobs
-- They are in this set from now on; its own job is still to be handed in.
local function close_set(keys, args)
  for i = 3, #args do
    if not redis.call('ZSCORE', keys[1], args[i]) then return 'RETRY' end
  end
  for i = 3, #args do
    redis.call('ZREM', keys[1], args[i])
    if redis.call('EXISTS', keys[i]) == 1 then redis.call('HSET', keys[i], 'set', args[1]) end
  end
  redis.call('HSET', keys[2], args[1], args[2])
  return 'OK'
end

-- KEYS: open_sets closed    ARGV: a job that is gone, job of a set that is handed in
local function forget_set(keys, args)
  redis.call('ZREM', keys[1], args[1])
  redis.call('HDEL', keys[2], args[2])
  return 'OK'
end

-- KEYS: jobs    ARGV: seconds retained
-- Another job is about to rely on these: a sweep that has read them before lets them be.
local function rely(keys, args)
  for _, key in ipairs(keys) do
    if redis.call('EXISTS', key) == 1 then
      redis.call('HSET', key, 'used', now())
      redis.call('EXPIRE', key, args[1], 'GT')
    end
  end
  return 'OK'
end

-- KEYS: as end_job takes them | events    ARGV: as end_job takes them | token
-- The token makes a call that was sent twice one: its answer may have got lost.
local function cancel(keys, args)
  if redis.call('HGET', keys[1], 'session') ~= args[2] then return 'RETRY' end
  if redis.call('HGET', keys[1], 'canceller') == args[9] then return 'OK' end
  if not end_job({unpack(keys, 1, 11)}, args) then return 'ENDED' end
  redis.call('HSET', keys[1], 'canceller', args[9])
  redis.call('XADD', keys[12], '*', 'type', 'left', 'job', args[1], 'session', args[2])
  return 'OK'
end

-- What a batch holds in the scratch server counts from its upload until its client has taken or
-- deleted it, or it has expired: `held` is the sum, `holders` has "<id> <bytes>" of each batch.
local function release(holders, held, id, bytes)
  if bytes and redis.call('ZREM', holders, id .. ' ' .. bytes) == 1 then
    redis.call('DECRBY', held, bytes)
  end
end

-- Whether there is room for more bytes, once what dead clients left behind has expired.
local function fits(holders, held, bytes, cap)
  local function full() return (redis.call('GET', held) or 0) + bytes > tonumber(cap) end
  if not full() then return true end
  for _, holder in ipairs(redis.call('ZRANGEBYSCORE', holders, '-inf', now(), 'LIMIT', 0, 1000)) do
    release(holders, held, string.match(holder, '^(%S+) (%d+)$'))
  end
  return not full()
end

-- Batches "<name>.<number>" share the stream of <name>, whose reader knows what it has submitted.
local function shares(id)
  return string.find(id, '.', 1, true)
end

local function hold(holders, held, id, bytes, cap, till)
  local holder = id .. ' ' .. bytes
  if not redis.call('ZSCORE', holders, holder) then
    if not fits(holders, held, bytes, cap) then return false end
    redis.call('INCRBY', held, bytes)
  end
  redis.call('ZADD', holders, till, holder)
  return true
end

-- KEYS: holders held    ARGV: id ('' for who only asks), bytes, cap, seconds until it is handed in
local function trace_room(keys, args)
  if args[1] == '' then return fits(keys[1], keys[2], args[2], args[3]) and 'OK' or 'BUSY' end
  local held = hold(keys[1], keys[2], args[1], args[2], args[3], now() + args[4])
  return held and 'OK' or 'BUSY'
end

-- KEYS: batch steps nodes batches changes holders held | events
-- ARGV: id, program, count, chunks, bytes, cap, namespace, inputs, then step, record, small (1|0)
--       of every chunk
-- The messages of small chunks are the scheduler's to send: it is told of each.
local function trace_submit(keys, args)
  if redis.call('EXISTS', keys[1]) == 1 then return 'KNOWN' end
  if not hold(keys[6], keys[7], args[1], args[5], args[6], '+inf') then return 'BUSY' end
  redis.call('HSET', keys[1], 'state', 'RUNNING', 'program', args[2], 'count', args[3],
    'chunks', args[4], 'bytes', args[5], 'namespace', args[7], 'inputs', args[8],
    'done', 0, 'created', now())
  for i = 9, #args, 3 do
    redis.call('HSET', keys[2], args[i], args[i + 1])
    if args[i + 2] == '1' then
      redis.call('XADD', keys[8], '*', 'type', 'chunk', 'message', cjson.decode(args[i + 1]).message)
    end
  end
  redis.call('SADD', keys[4], args[1])
  if not shares(args[1]) then
    tell(keys[5], 'state', 'RUNNING', 'segments', args[4], 'done', 0, 'text', 'accepted')
  end
  return 'NEW'
end

-- KEYS: as trace_submit takes them, without events
-- ARGV: id, state, code, facts, seconds kept, seconds that scratch keeps
local function end_batch(keys, args, step, ref)
  if not running(keys[1]) then return 'ENDED' end
  redis.call('HSET', keys[1], 'state', args[2], 'code', args[3], 'facts', args[4], 'finished', now())
  redis.call('SREM', keys[4], args[1])
  local chunks, done, bytes = unpack(redis.call('HMGET', keys[1], 'chunks', 'done', 'bytes'))
  redis.call('ZADD', keys[6], 'XX', now() + args[6], args[1] .. ' ' .. (bytes or ''))
  tell(keys[5], 'batch', args[1], 'state', args[2], 'segments', chunks, 'done', done,
    'step', step or '', 'ref', ref or '', 'text', args[3])
  keep(args[5], keys[1], keys[2], keys[3], keys[5])
  return 'OK'
end

-- KEYS: as end_batch takes them    ARGV: id, bytes (of one that was not handed in)
-- What the batch held in the scratch server is there no more.
local function trace_release(keys, args)
  release(keys[6], keys[7], args[1], redis.call('HGET', keys[1], 'bytes') or args[2])
  return 'OK'
end

-- KEYS, ARGV: as end_batch takes them
-- Its client has taken all results: nothing is kept of the batch.
local function trace_forget(keys, args)
  end_batch(keys, args)
  trace_release(keys, {args[1]})
  redis.call('DEL', keys[1], keys[2], keys[3])
  if not shares(args[1]) then redis.call('DEL', keys[5]) end
  return 'OK'
end

redis.register_function('@VERSION@_submit', submit)
redis.register_function('@VERSION@_rely', rely)
redis.register_function('@VERSION@_register', register)
redis.register_function('@VERSION@_close_set', close_set)
redis.register_function('@VERSION@_forget_set', forget_set)
redis.register_function('@VERSION@_cancel', cancel)
redis.register_function('@VERSION@_trace_room', trace_room)
redis.register_function('@VERSION@_trace_submit', trace_submit)
redis.register_function('@VERSION@_trace_end', end_batch)
redis.register_function('@VERSION@_trace_release', trace_release)
redis.register_function('@VERSION@_trace_forget', trace_forget)
