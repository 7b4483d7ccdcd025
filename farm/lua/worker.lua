-- What workers say: that they live, that they hold a step, and what came of it.
--
-- A step's record names the attempt that may change it. A call of any other attempt is answered
-- LOST; of a session that no longer runs, CANCELLED.

local function held(session, steps, step, attempt)
  if not running(session) then return nil, 'CANCELLED' end
  local record = read(steps, step)
  if not record or record.attempt ~= tonumber(attempt) then return nil, 'LOST' end
  return record
end

local function leased(session, steps, step, attempt)
  local record, why = held(session, steps, step, attempt)
  if record and record.state ~= 'LEASED' then return nil, 'LOST' end
  return record, why
end

-- KEYS: slots beats events    ARGV: slot, its beat's field, record
local function slot_up(keys, args)
  redis.call('HSET', keys[1], args[1], args[3])
  redis.call('HINCRBY', keys[2], args[2], 1)
  redis.call('XADD', keys[3], '*', 'type', 'slot', 'slot', args[1])
  return 'HELD'
end

-- KEYS: slots beats    ARGV: slot, its beat's field, incarnation
local function slot_beat(keys, args)
  local record = read(keys[1], args[1])
  if not record or record.incarnation ~= args[3] then return 'LOST' end
  redis.call('HINCRBY', keys[2], args[2], 1)
  return 'HELD'
end

-- KEYS: slots beats events    ARGV: slot, its beat's field, incarnation
local function slot_down(keys, args)
  local record = read(keys[1], args[1])
  if not record or record.incarnation ~= args[3] then return 'LOST' end
  redis.call('HDEL', keys[1], args[1])
  redis.call('HDEL', keys[2], args[2])
  redis.call('XADD', keys[3], '*', 'type', 'slot', 'slot', args[1])
  return 'HELD'
end

-- KEYS: session steps beats    ARGV: step, attempt, beat's field, slot, incarnation, token
-- The token makes a call that was sent twice one lease, and a message delivered twice two.
local function lease(keys, args)
  local record, why = held(keys[1], keys[2], args[1], args[2])
  if not record then return why == 'LOST' and 'STALE' or why end
  if record.state == 'LEASED' and record.token == args[6] then return 'LEASED' end
  if record.state ~= 'SENT' or (record.slot ~= '' and record.slot ~= args[4]) then return 'STALE' end
  record.state, record.slot, record.incarnation, record.token = 'LEASED', args[4], args[5], args[6]
  write(keys[2], args[1], record)
  redis.call('HINCRBY', keys[3], args[3], 1)
  return 'LEASED'
end

-- KEYS: session steps beats    ARGV: step, attempt, beat's field
local function renew(keys, args)
  local record, why = leased(keys[1], keys[2], args[1], args[2])
  if not record then return why end
  redis.call('HINCRBY', keys[3], args[3], 1)
  return 'HELD'
end

-- KEYS: session steps beats events    ARGV: step, attempt, beat's field, session, REPORTED|FAILED,
--                                           ref, code, facts
local function report(keys, args)
  local record, why = held(keys[1], keys[2], args[1], args[2])
  if not record then return why end
  if record.state == args[5] and record.ref == args[6] then return 'HELD' end
  if record.state ~= 'LEASED' then return 'LOST' end
  record.state, record.ref, record.code, record.facts = args[5], args[6], args[7], args[8]
  write(keys[2], args[1], record)
  redis.call('HDEL', keys[3], args[3])
  redis.call('XADD', keys[4], '*', 'type', 'step', 'session', args[4], 'step', args[1],
    'record', cjson.encode(record))
  return 'HELD'
end

-- KEYS: session steps segments events    ARGV: attempt, session, index, record
-- An attempt that says a segment again may have put it elsewhere, but never change it.
local function segment(keys, args)
  local record, why = leased(keys[1], keys[2], 'execute', args[1])
  if not record then return why end
  local before, claim = read(keys[3], args[3]), cjson.decode(args[4]).claim
  for name, value in pairs(before and before.claim or {}) do
    if claim[name] ~= value then return 'DIFFERS' end
  end
  redis.call('HSET', keys[3], args[3], args[4])
  redis.call('XADD', keys[4], '*', 'type', 'segment', 'session', args[2], 'attempt', args[1],
    'index', args[3], 'record', args[4])
  return 'HELD'
end

-- KEYS: session steps segments events    ARGV: attempt, session, index, field, record
-- What the guest wants hashed; an attempt that says it again may have put it elsewhere.
local function keccak(keys, args)
  local record, why = leased(keys[1], keys[2], 'execute', args[1])
  if not record then return why end
  local before = read(keys[3], args[4])
  if before and before.digest ~= cjson.decode(args[5]).digest then return 'DIFFERS' end
  redis.call('HSET', keys[3], args[4], args[5])
  redis.call('XADD', keys[4], '*', 'type', 'keccak', 'session', args[2], 'attempt', args[1],
    'index', args[3], 'record', args[5])
  return 'HELD'
end

-- KEYS: session steps beats events tenants    ARGV: attempt, beat's field, session, record
local function executed(keys, args)
  local record, why = held(keys[1], keys[2], 'execute', args[1])
  if not record then return why end
  if record.state == 'DONE' then return 'HELD' end
  if record.state ~= 'LEASED' then return 'LOST' end
  record.state = 'DONE'
  write(keys[2], 'execute', record)
  redis.call('HSET', keys[1], 'exec', args[4])
  spend(keys[5], keys[1], cjson.decode(args[4]))
  redis.call('HDEL', keys[3], args[2])
  redis.call('XADD', keys[4], '*', 'type', 'executed', 'session', args[3], 'attempt', args[1],
    'record', args[4])
  return 'HELD'
end

-- KEYS: as end_batch takes them | beats
-- ARGV: step, attempt, beat's field, id, ref, seconds kept, seconds that scratch keeps
local function trace_done(keys, args)
  if redis.call('HGET', keys[3], args[1]) == args[5] then return 'HELD' end
  local record, why = held(keys[1], keys[2], args[1], args[2])
  if not record then return why end
  if record.state ~= 'LEASED' then return 'LOST' end
  record.state, record.ref, record.message = 'DONE', args[5], ''
  write(keys[2], args[1], record)
  redis.call('HDEL', keys[8], args[3])
  redis.call('HSET', keys[3], args[1], args[5])
  local done = redis.call('HINCRBY', keys[1], 'done', 1)
  local chunks = redis.call('HGET', keys[1], 'chunks')
  if done < tonumber(chunks) then
    tell(keys[5], 'batch', args[4], 'state', 'RUNNING', 'segments', chunks, 'done', done,
      'step', args[1], 'ref', args[5])
    return 'HELD'
  end
  end_batch(keys, {args[4], 'SUCCEEDED', '', '[]', args[6], args[7]}, args[1], args[5])
  return 'HELD'
end

-- KEYS: observations    ARGV: about how many are kept, batch (JSON)
local function observe(keys, args)
  redis.call('XADD', keys[1], 'MAXLEN', '~', args[1], '*', 'batch', args[2])
  return 'HELD'
end

redis.register_function('@VERSION@_slot_up', slot_up)
redis.register_function('@VERSION@_slot_beat', slot_beat)
redis.register_function('@VERSION@_slot_down', slot_down)
redis.register_function('@VERSION@_lease', lease)
redis.register_function('@VERSION@_renew', renew)
redis.register_function('@VERSION@_report', report)
redis.register_function('@VERSION@_segment', segment)
redis.register_function('@VERSION@_keccak', keccak)
redis.register_function('@VERSION@_executed', executed)
redis.register_function('@VERSION@_trace_done', trace_done)
redis.register_function('@VERSION@_observe', observe)
