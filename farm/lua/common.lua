-- What the ledger's functions share: reading a record, telling who waits, ending a job.
--
-- The files of this folder are one library, in the order common, tenant, client, worker, scheduler,
-- sweep.
-- Every function takes its keys as KEYS (farm/keys.py says what each holds) and does the whole
-- of a change at once: state, outbox, event and acknowledgement. A record is JSON with scalars
-- only, since Lua's JSON cannot tell an empty list from an empty object.

local function now()
  local time = redis.call('TIME')
  return string.format('%d.%06d', time[1], time[2])
end

-- What cannot be read counts as not there: who wrote it writes it anew, or its session ends.
local function read(key, field)
  local text = redis.call('HGET', key, field)
  local ok, record = pcall(cjson.decode, text or '')
  return ok and type(record) == 'table' and record or nil
end

local function write(key, field, record)
  redis.call('HSET', key, field, cjson.encode(record))
end

local function running(key)
  return redis.call('HGET', key, 'state') == 'RUNNING'
end

local function job_open(key)
  local state = redis.call('HGET', key, 'state')
  return state == 'ACCEPTED' or state == 'RUNNING'
end

local function tell(stream, ...)
  redis.call('XADD', stream, 'MAXLEN', '~', 256, '*', ...)
end

-- What a tenant uses is in one hash: how many jobs it has open ("open:<namespace>"; of those whom
-- quotas bind, which alone say whose they are), how many bytes it has uploaded ("bytes:..") and
-- "<day> <cycles>" ("spent:.."), days counted from 1970.
local function today() return math.floor(tonumber(now()) / 86400) end

local function spent(tenants, name)
  local day, cycles = string.match(redis.call('HGET', tenants, 'spent:' .. name) or '', '^(%d+) (%d+)$')
  return tonumber(day) == today() and tonumber(cycles) or 0
end

local function over_quota(tenants, name, jobs, cycles)
  if name == '' then return nil end
  local open = tonumber(redis.call('HGET', tenants, 'open:' .. name) or 0)
  if jobs ~= '' and open >= tonumber(jobs) then return 'MANY' end
  if cycles ~= '' and spent(tenants, name) >= tonumber(cycles) then return 'SPENT' end
end

local function opened(tenants, job, name)
  if name == '' then return end
  redis.call('HSET', job, 'tenant', name)
  redis.call('HINCRBY', tenants, 'open:' .. name, 1)
end

local function left(tenants, job)
  local name = redis.call('HGET', job, 'tenant')
  if name then redis.call('HINCRBY', tenants, 'open:' .. name, -1) end
end

-- An execution that has ended counts among what its tenant has spent, once.
local function spend(tenants, session, record)
  local spec, cycles = read(session, 'spec'), record.cycles and record.cycles.total
  if not (spec and spec.namespace and cycles) then return end
  local sum = string.format('%d %.0f', today(), spent(tenants, spec.namespace) + cycles)
  redis.call('HSET', tenants, 'spent:' .. spec.namespace, sum)
end

local function keep(seconds, ...)
  for _, key in ipairs({...}) do redis.call('EXPIRE', key, seconds) end
end

-- The session stops: leases are answered CANCELLED from now on, equal jobs start anew.
-- inner = {session, waiters, segments, nodes, steps}
local function close_session(inner, sessions, answer, name, state, code, facts, seconds)
  redis.call('HSET', inner[1], 'state', state, 'code', code, 'facts', facts, 'closed', now())
  redis.call('SREM', sessions, name)
  if redis.call('HGET', answer, 'session') == name then redis.call('HDEL', answer, 'session') end
  keep(seconds, unpack(inner))
end

-- A job that has its receipt waits for its set, if it is to be in one.
local function join_set(open_sets, job, id)
  if redis.call('HEXISTS', job, 'joins') == 1 then redis.call('ZADD', open_sets, now(), id) end
end

-- The job ends; the last one to leave a running session closes it.
-- k = {job, changes, open, sessions, answer, session, waiters, segments, nodes, steps, tenants}
-- v = {id, session name, state, code, facts, text, seconds retained, seconds kept}
local function end_job(k, v)
  if not job_open(k[1]) then return false end
  redis.call('HSET', k[1], 'state', v[3], 'code', v[4], 'facts', v[5], 'finished', now())
  redis.call('SREM', k[3], v[1])
  left(k[11], k[1])
  redis.call('SREM', k[7], v[1])
  tell(k[2], 'state', v[3], 'text', v[6])
  keep(v[7], k[1])
  keep(v[8], k[2])
  local inner = {k[6], k[7], k[8], k[9], k[10]}
  if running(k[6]) and redis.call('SCARD', k[7]) == 0 then
    close_session(inner, k[4], k[5], v[2], 'ABORTED', 'JobAborted', '[]', v[8])
  end
  return true
end

-- The job waits for a session from now on: the running one of its key, or one it starts.
-- k = {job, answer, sessions, session, waiters}; v = {id, session name, spec, answer's key, started}
local function attach(k, v)
  local fresh = redis.call('HGET', k[2], 'session') ~= v[2]
  if fresh then
    redis.call('HSET', k[4], 'state', 'RUNNING', 'spec', v[3], 'key', v[4], 'created', now())
    redis.call('SADD', k[3], v[2])
    redis.call('HSET', k[2], 'session', v[2])
    redis.call('PERSIST', k[2])
  end
  redis.call('HSET', k[1], 'session', v[2])
  redis.call('SADD', k[5], v[1])
  return fresh
end
