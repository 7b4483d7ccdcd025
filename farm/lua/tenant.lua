-- What clients of the API have: keys, and what they have uploaded.

-- KEYS: api_keys    ARGV: digest of a key, record
local function api_key(keys, args)
  redis.call('HSET', keys[1], args[1], args[2])
  return 'OK'
end

-- KEYS: uploads tenants    ARGV: id, record, bytes, namespace, most bytes ('' for any)
local function upload(keys, args)
  if redis.call('HEXISTS', keys[1], args[1]) == 1 then return 'KNOWN' end
  local field = 'bytes:' .. args[4]
  local held = tonumber(redis.call('HGET', keys[2], field) or 0)
  if args[5] ~= '' and held + args[3] > tonumber(args[5]) then return 'FULL' end
  redis.call('HSET', keys[1], args[1], args[2])
  redis.call('HINCRBY', keys[2], field, args[3])
  return 'NEW'
end

-- KEYS: uploads tenants    ARGV: id, namespace
local function drop_upload(keys, args)
  local record = read(keys[1], args[1])
  if redis.call('HDEL', keys[1], args[1]) == 0 then return 'GONE' end
  if record then redis.call('HINCRBY', keys[2], 'bytes:' .. args[2], -record.size) end
  return 'OK'
end

redis.register_function('@VERSION@_api_key', api_key)
redis.register_function('@VERSION@_upload', upload)
redis.register_function('@VERSION@_drop_upload', drop_upload)
