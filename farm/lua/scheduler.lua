-- What the scheduler writes. Every call carries its epoch: a scheduler that was replaced while
-- it slept changes nothing. `ack` is the event that a call has dealt with, '' for none.

local STALE = 'STALE'

local function stale(key, epoch)
  return redis.call('GET', key) ~= epoch
end

local function done_with(events, ack)
  if ack ~= '' then redis.call('XDEL', events, ack) end
end

-- KEYS: epoch scheduler    ARGV: holder, milliseconds
local function acquire(keys, args)
  local holder = redis.call('GET', keys[2])
  if holder and holder ~= args[1] then return 0 end
  redis.call('SET', keys[2], args[1], 'PX', args[2])
  return redis.call('INCR', keys[1])
end

-- KEYS: epoch scheduler    ARGV: epoch, holder, milliseconds
local function hold(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  redis.call('SET', keys[2], args[2], 'PX', args[3])
  return 'OK'
end

-- KEYS: epoch scheduler    ARGV: epoch
local function release(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  redis.call('DEL', keys[2])
  return 'OK'
end

-- KEYS: epoch events    ARGV: epoch, events dealt with
local function ack(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  redis.call('XDEL', keys[2], unpack(args, 2))
  return 'OK'
end

-- KEYS: epoch events session steps beats outbox
-- ARGV: epoch, ack, step, attempt, record, message, beat's field of the attempt before
local function send(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  if not running(keys[3]) then return 'ENDED' end
  local before = read(keys[4], args[3])
  -- It was done while the scheduler still read it as lost.
  if before and before.state == 'DONE' then return 'ENDED' end
  if (before and before.attempt or 0) ~= args[4] - 1 then return 'DIFFERS' end
  redis.call('HSET', keys[4], args[3], args[5])
  redis.call('HDEL', keys[5], args[7])
  redis.call('RPUSH', keys[6], args[6])
  done_with(keys[2], args[2])
  return 'OK'
end

-- KEYS: epoch outbox taken    ARGV: epoch, how many messages Celery has: the oldest ones, number
-- The number makes a call that was sent twice one: other messages are the oldest by then.
local function published(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  local call = args[1] .. ' ' .. args[3]
  if redis.call('GET', keys[3]) == call then return 'OK' end
  redis.call('SET', keys[3], call)
  redis.call('LPOP', keys[2], args[2])
  return 'OK'
end

-- KEYS: epoch events session steps nodes    ARGV: epoch, ack, step, attempt, ref
local function bind(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  if not running(keys[3]) then return 'ENDED' end
  local record = read(keys[4], args[3])
  if not record or record.attempt ~= tonumber(args[4]) then return 'DIFFERS' end
  record.state = 'DONE'
  write(keys[4], args[3], record)
  redis.call('HSETNX', keys[5], args[3], args[5])
  done_with(keys[2], args[2])
  return 'OK'
end

-- KEYS: epoch steps    ARGV: epoch, step, attempt, how many came to nothing
-- Two joins may want the same proof once one of them is lost: a scheduler that reads the ledger
-- anew has to know which.
local function give_up(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  local record = read(keys[2], args[2])
  if record and record.attempt == tonumber(args[3]) and record.state ~= 'DONE' then
    record.state, record.tries = 'GONE', tonumber(args[4])
    write(keys[2], args[2], record)
  end
  return 'OK'
end

-- KEYS: epoch session steps nodes    ARGV: epoch, step
-- The output of a step is gone from the store: the step is to be made again.
local function unbind(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  local record = read(keys[3], args[2])
  if record then
    record.state = 'GONE'
    write(keys[3], args[2], record)
  end
  redis.call('HDEL', keys[4], args[2])
  return 'OK'
end

-- KEYS: epoch session    ARGV: epoch, input and members, by a blank
local function gathered(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  if running(keys[2]) then redis.call('HSET', keys[2], 'gathered', args[2]) end
  return 'OK'
end

-- KEYS: epoch session segments nodes steps    ARGV: epoch
-- Segments of two executions that differ never fit together: before the guest runs again, nothing is
-- kept of the last time but the numbers of the attempts.
local function discard(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  for _, step in ipairs(redis.call('HKEYS', keys[5])) do
    local record = read(keys[5], step)
    if record then
      record.state = 'GONE'
      write(keys[5], step, record)
    end
  end
  redis.call('DEL', keys[3], keys[4])
  redis.call('HDEL', keys[2], 'exec')
  return 'OK'
end

-- KEYS: epoch events sessions answer session waiters segments nodes steps
-- ARGV: epoch, ack, session name, state, code, facts, receipt, journal, stats, seconds kept,
--       seconds retained
local function close(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  if running(keys[5]) then
    if args[4] == 'SUCCEEDED' then
      redis.call('HSET', keys[4], 'receipt', args[7], 'journal', args[8], 'stats', args[9],
        'made', args[3], 'used', now())
      redis.call('HSET', keys[5], 'receipt', args[7], 'journal', args[8], 'stats', args[9])
    end
    close_session({unpack(keys, 5, 9)}, keys[3], keys[4], args[3], args[4], args[5], args[6], args[10])
    keep(args[11], keys[4])
    -- Whoever still waits must be found by the next scheduler.
    redis.call('PERSIST', keys[6])
  end
  done_with(keys[2], args[2])
  return 'OK'
end

-- KEYS: epoch events | as end_job takes them | open_sets
-- ARGV: epoch, ack, receipt, journal, stats | as end_job takes them
local function finish(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  if args[3] ~= '' and job_open(keys[3]) then
    redis.call('HSET', keys[3], 'receipt', args[3], 'journal', args[4], 'stats', args[5])
  end
  local ended = end_job({unpack(keys, 3, 13)}, {unpack(args, 6)})
  if ended and args[8] == 'SUCCEEDED' then join_set(keys[14], keys[3], args[6]) end
  done_with(keys[2], args[2])
  return ended and 'OK' or 'ENDED'
end

-- KEYS: epoch events job answer sessions session waiters, waiters of the session that failed
-- ARGV: epoch, job, session name, spec, job key, expected session
local function reattach(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  if not job_open(keys[3]) then return 'ENDED' end
  if (redis.call('HGET', keys[4], 'session') or '') ~= args[6] then return 'RETRY' end
  redis.call('SREM', keys[8], args[2])
  attach({unpack(keys, 3, 7)}, {args[2], args[3], args[4], args[5]})
  redis.call('XADD', keys[2], '*', 'type', 'job', 'job', args[2], 'session', args[3])
  return 'OK'
end

-- KEYS: epoch, then job and changes of every waiter    ARGV: epoch, field, value, ..
local function progress(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  for i = 2, #keys, 2 do
    if job_open(keys[i]) then
      if redis.call('HGET', keys[i], 'state') == 'ACCEPTED' then
        redis.call('HSET', keys[i], 'state', 'RUNNING', 'started', now())
      end
      tell(keys[i + 1], 'state', 'RUNNING', unpack(args, 2))
    end
  end
  return 'OK'
end

-- KEYS: epoch slots beats    ARGV: epoch, slot, incarnation, beat's field
local function slot_gone(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  local record = read(keys[2], args[2])
  if record and record.incarnation ~= args[3] then return 'DIFFERS' end
  redis.call('HDEL', keys[2], args[2])
  redis.call('HDEL', keys[3], args[4])
  return 'OK'
end

-- KEYS: epoch beats    ARGV: epoch, fields that nobody watches any more
local function forget_beats(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  for i = 2, #args do redis.call('HDEL', keys[2], args[i]) end
  return 'OK'
end

-- KEYS: epoch | as end_batch takes them    ARGV: epoch | as end_batch takes them
local function trace_fail(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  return end_batch({unpack(keys, 2)}, {unpack(args, 2)})
end

-- KEYS: epoch observations models    ARGV: epoch, first observation to keep, name, model, ..
local function learned(keys, args)
  if stale(keys[1], args[1]) then return STALE end
  redis.call('XTRIM', keys[2], 'MINID', args[2])
  for i = 3, #args, 2 do redis.call('HSET', keys[3], args[i], args[i + 1]) end
  return 'OK'
end

redis.register_function('@VERSION@_acquire', acquire)
redis.register_function('@VERSION@_hold', hold)
redis.register_function('@VERSION@_release', release)
redis.register_function('@VERSION@_ack', ack)
redis.register_function('@VERSION@_send', send)
redis.register_function('@VERSION@_published', published)
redis.register_function('@VERSION@_bind', bind)
redis.register_function('@VERSION@_give_up', give_up)
redis.register_function('@VERSION@_unbind', unbind)
redis.register_function('@VERSION@_discard', discard)
redis.register_function('@VERSION@_gathered', gathered)
redis.register_function('@VERSION@_close', close)
redis.register_function('@VERSION@_finish', finish)
redis.register_function('@VERSION@_reattach', reattach)
redis.register_function('@VERSION@_progress', progress)
redis.register_function('@VERSION@_slot_gone', slot_gone)
redis.register_function('@VERSION@_forget_beats', forget_beats)
redis.register_function('@VERSION@_trace_fail', trace_fail)
redis.register_function('@VERSION@_learned', learned)
