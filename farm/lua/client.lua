-- What clients ask for: submit, cancel, and the same for trace batches.

-- KEYS: job changes open sessions answer session waiters | seq events recent [idempotency]
-- ARGV: id, session name, spec, job key, expected session, receipt seen, it is still there (1|0),
--       cap of open jobs, seconds retained, length of recent, then fields of the job
local function submit(keys, args)
  local job, changes, open, sessions, answer, session, waiters = unpack(keys, 1, 7)
  local seq, events, recent, idem = unpack(keys, 8, 11)
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
  redis.call('HSET', job, 'spec', spec, 'key', key, 'created', now(),
    'seq', redis.call('INCR', seq), unpack(args, 11))
  if idem then redis.call('SET', idem, id, 'EX', args[9]) end
  redis.call('LPUSH', recent, id)
  redis.call('LTRIM', recent, 0, args[10] - 1)
  if answered then
    local kept = redis.call('HMGET', answer, 'journal', 'stats', 'made')
    redis.call('HSET', job, 'state', 'SUCCEEDED', 'receipt', seen, 'journal', kept[1],
      'stats', kept[2], 'session', kept[3], 'finished', now())
    tell(changes, 'state', 'SUCCEEDED', 'text', 'answered from the store')
    keep(args[9], job, changes)
    return {'ANSWERED', id}
  end
  if seen ~= '' then redis.call('HDEL', answer, 'receipt') end
  redis.call('HSET', job, 'state', 'ACCEPTED')
  redis.call('SADD', open, id)
  local fresh = attach({job, answer, sessions, session, waiters}, {id, name, spec, key})
  redis.call('XADD', events, '*', 'type', 'job', 'job', id, 'session', name)
  tell(changes, 'state', 'ACCEPTED', 'text', fresh and 'accepted' or 'joined a running session')
  return {fresh and 'NEW' or 'ATTACHED', id}
end

-- KEYS: as end_job takes them | events    ARGV: as end_job takes them
local function cancel(keys, args)
  if redis.call('HGET', keys[1], 'session') ~= args[2] then return 'RETRY' end
  if not end_job({unpack(keys, 1, 10)}, args) then return 'ENDED' end
  redis.call('XADD', keys[11], '*', 'type', 'left', 'job', args[1], 'session', args[2])
  return 'OK'
end

-- KEYS: batch steps batches changes
-- ARGV: id, program, count, chunks, then step, record of every chunk
local function trace_submit(keys, args)
  if redis.call('EXISTS', keys[1]) == 1 then return 'KNOWN' end
  redis.call('HSET', keys[1], 'state', 'RUNNING', 'program', args[2], 'count', args[3],
    'chunks', args[4], 'done', 0, 'created', now())
  for i = 5, #args, 2 do redis.call('HSET', keys[2], args[i], args[i + 1]) end
  redis.call('SADD', keys[3], args[1])
  tell(keys[4], 'state', 'RUNNING', 'segments', args[4], 'done', 0, 'text', 'accepted')
  return 'NEW'
end

-- KEYS: batch steps nodes batches changes    ARGV: id, state, code, facts, seconds kept
local function end_batch(keys, args)
  if not running(keys[1]) then return 'ENDED' end
  redis.call('HSET', keys[1], 'state', args[2], 'code', args[3], 'facts', args[4], 'finished', now())
  redis.call('SREM', keys[4], args[1])
  local total = redis.call('HMGET', keys[1], 'chunks', 'done')
  tell(keys[5], 'state', args[2], 'segments', total[1], 'done', total[2], 'text', args[3])
  keep(args[5], keys[1], keys[2], keys[3], keys[5])
  return 'OK'
end

redis.register_function('@VERSION@_submit', submit)
redis.register_function('@VERSION@_cancel', cancel)
redis.register_function('@VERSION@_trace_submit', trace_submit)
redis.register_function('@VERSION@_trace_end', end_batch)
