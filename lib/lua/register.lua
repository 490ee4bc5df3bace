-- register: makes a node stand in the registry as its owner wants it (protocol section 4).
--
-- KEYS[1]  P:registry, from which all other keys are derived
-- ARGV     1 id  2 incarnation  3 policy  4 heartbeat ttl (ms)  5 address  6 services (JSON array)
--          7 body (JSON object with nodeId, address, services, ...)  8 channel, or '' to publish nothing
-- policy   take-over: the newest wins; reject: a live other owner stays; renew: only what is ours or nobody's
-- replies  {registered | updated | unchanged, revision}, {held, remaining ttl}, {fenced, remaining ttl}
local prefix = string.sub(KEYS[1], 1, -10)
local id, incarnation, policy, ttl = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local address, services, body, channel = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local registry_key = KEYS[1]
local records_key = prefix .. ':records'
local changes_key = prefix .. ':changes'
local expiry_key = prefix .. ':expiry'
local nodes_index_key = prefix .. ':index:nodes'
local service_index = prefix .. ':index:service:'
local node_key = prefix .. ':nodes:' .. id
local heartbeat_key = prefix .. ':heartbeat:' .. id
local node_lifetime = 10 * ttl
local bookkeeping_lifetime = math.max(3600000, node_lifetime)

local clock = redis.call('TIME')
local now = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000))

-- A value of the wrong type under one of our names is nobody's: it would fail every later write half-way.
local function clear_unless(key, wanted)
  local found = redis.call('TYPE', key).ok
  if found ~= wanted and found ~= 'none' then redis.call('DEL', key) end
end

-- PEXPIRE ... GT needs Redis 7; a node with a short ttl must not shorten what a node with a long one set.
local function keep(key)
  if redis.call('PTTL', key) < bookkeeping_lifetime then
    redis.call('PEXPIRE', key, bookkeeping_lifetime)
  end
end

local function service_names(list)
  local names = {}
  if type(list) == 'table' then
    for _, service in ipairs(list) do
      if type(service) == 'table' and type(service.name) == 'string' then names[service.name] = true end
    end
  end
  return names
end

clear_unless(heartbeat_key, 'string')
local owner = redis.call('GET', heartbeat_key)
if owner and owner ~= incarnation and policy ~= 'take-over' then
  return {policy == 'reject' and 'held' or 'fenced', redis.call('PTTL', heartbeat_key)}
end

for key, wanted in pairs({[registry_key] = 'hash', [records_key] = 'hash', [changes_key] = 'zset',
  [expiry_key] = 'zset', [nodes_index_key] = 'set', [node_key] = 'hash'}) do
  clear_unless(key, wanted)
end

-- A registry without its records (or the other way round) lost a part to eviction or to somebody's DEL. Its numbers
-- no longer hold, so it is born again under a new epoch; the other nodes' repair beats bring their records back.
local state = redis.call('HMGET', registry_key, 'epoch', 'revision', 'digest')
local epoch, revision, digest = state[1], tonumber(state[2]), tonumber(state[3] or '', 16)
local intact = epoch and revision and digest
if intact and digest ~= 0 and redis.call('EXISTS', records_key) == 0 then intact = false end
if not intact then
  redis.call('UNLINK', registry_key, records_key, changes_key, expiry_key)
  epoch = string.sub(redis.sha1hex(table.concat({id, incarnation, clock[1], clock[2]}, ' ')), 1, 16)
  revision, digest = 0, 0
  redis.call('HSET', registry_key, 'epoch', epoch, 'revision', 0, 'digest', '000000000000', 'floor', 0)
end
-- Without its changes the registry cannot say what happened since an earlier revision: nobody may ask for a delta.
if revision > 0 and redis.call('EXISTS', changes_key) == 0 then
  redis.call('HSET', registry_key, 'floor', string.format('%.0f', revision))
end

local content = redis.sha1hex(address .. '\0' .. services)
local old_tag, old_incarnation, old_timestamp, old_body
local record = redis.call('HGET', records_key, id)
if record then
  local _, tag, known_incarnation, _, timestamp, known_body =
    string.match(record, '^(%d+) (%x+) (%S+) (%x+) (%d+) ({.*})$')
  if tag and #tag == 12 then
    old_tag, old_incarnation, old_timestamp, old_body = tag, known_incarnation, timestamp, known_body
  end
end
local unchanged = old_incarnation == incarnation and old_body == body
local timestamp = unchanged and old_timestamp or now

-- What stands at the node's own keys is written either way: that is the repair of whatever was evicted or deleted.
redis.call('SET', heartbeat_key, incarnation, 'PX', ttl)
redis.call('HSET', node_key, 'address', address, 'services', services, 'timestamp', timestamp)
redis.call('PEXPIRE', node_key, node_lifetime)
redis.call('SADD', nodes_index_key, id)
redis.call('ZADD', expiry_key, clock[1] * 1000 + math.floor(clock[2] / 1000) + ttl, id)
local offered = service_names(cjson.decode(services))
for name in pairs(offered) do
  clear_unless(service_index .. name, 'set')
  redis.call('SADD', service_index .. name, id)
  keep(service_index .. name)
end

if not unchanged then
  if old_body then
    local decoded, before = pcall(cjson.decode, old_body)
    for name in pairs(service_names(decoded and type(before) == 'table' and before.services)) do
      if not offered[name] then
        clear_unless(service_index .. name, 'set')
        redis.call('SREM', service_index .. name, id)
      end
    end
  end
  revision = revision + 1
  local revision_text = string.format('%.0f', revision)
  local tag = string.sub(redis.sha1hex(table.concat(
    {epoch, id, incarnation, revision_text, clock[1], clock[2]}, ' ')), 1, 12)
  digest = (digest - tonumber(old_tag or '0', 16) + tonumber(tag, 16)) % 281474976710656
  local digest_text = string.format('%06x%06x', math.floor(digest / 16777216), digest % 16777216)
  redis.call('HSET', records_key, id,
    table.concat({revision_text, tag, incarnation, content, timestamp, body}, ' '))
  redis.call('HSET', registry_key, 'revision', revision_text, 'digest', digest_text)
  redis.call('ZADD', changes_key, revision_text, id)
  local excess = redis.call('ZCARD', changes_key) - redis.call('HLEN', records_key) - 4096
  if excess > 0 then
    local cut = redis.call('ZPOPMIN', changes_key, math.min(excess, 512))
    redis.call('HSET', registry_key, 'floor', cut[#cut])
  end
  for _, key in ipairs({registry_key, records_key, changes_key, expiry_key}) do keep(key) end
  if channel ~= '' then
    redis.pcall('PUBLISH', channel, table.concat({
      '{"type":"', old_tag and 'NODE_UPDATED' or 'NODE_REGISTERED', '",', string.sub(body, 2, -2),
      ',"timestamp":', timestamp, ',"epoch":"', epoch, '","revision":', revision_text, ',"digest":"', digest_text,
      '","tag":"', tag, '","incarnation":"', incarnation, '"}'}))
  end
  return {old_tag and 'updated' or 'registered', revision}
end
for _, key in ipairs({registry_key, records_key, changes_key, expiry_key}) do keep(key) end
return {'unchanged', revision}
