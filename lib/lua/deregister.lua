-- deregister: takes a node out of the registry, if it still belongs to whoever asks (protocol section 4).
--
-- KEYS[1]  P:registry, from which all other keys are derived
-- ARGV     1 id  2 incarnation  3 channel, or '' to publish nothing
-- replies  {deregistered, revision}, {gone, revision}, {fenced, remaining ttl}
local prefix = string.sub(KEYS[1], 1, -10)
local id, incarnation, channel = ARGV[1], ARGV[2], ARGV[3]
local registry_key = KEYS[1]
local records_key = prefix .. ':records'
local changes_key = prefix .. ':changes'
local heartbeat_key = prefix .. ':heartbeat:' .. id

local function is_type(key, wanted)
  return redis.call('TYPE', key).ok == wanted
end

local owner = is_type(heartbeat_key, 'string') and redis.call('GET', heartbeat_key)
if owner and owner ~= incarnation then return {'fenced', redis.call('PTTL', heartbeat_key)} end

local old_tag, old_incarnation, old_body
local record = is_type(records_key, 'hash') and redis.call('HGET', records_key, id)
if record then
  local _, tag, known_incarnation, _, _, body = string.match(record, '^(%d+) (%x+) (%S+) (%x+) (%d+) ({.*})$')
  if tag and #tag == 12 then old_tag, old_incarnation, old_body = tag, known_incarnation, body end
end
-- Another process registered the id after us and died: its record is for whoever reconciles, not for us.
if not owner and old_incarnation and old_incarnation ~= incarnation then return {'gone', 0} end

local clock = redis.call('TIME')
local now = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000))

redis.call('DEL', heartbeat_key, prefix .. ':nodes:' .. id)
if is_type(prefix .. ':index:nodes', 'set') then redis.call('SREM', prefix .. ':index:nodes', id) end
if is_type(prefix .. ':expiry', 'zset') then redis.call('ZREM', prefix .. ':expiry', id) end
if not record then return {'gone', 0} end

redis.call('HDEL', records_key, id)
if not old_tag then return {'gone', 0} end
local decoded, node = pcall(cjson.decode, old_body)
if decoded and type(node) == 'table' and type(node.services) == 'table' then
  for _, service in ipairs(node.services) do
    if type(service) == 'table' and type(service.name) == 'string' then
      local index_key = prefix .. ':index:service:' .. service.name
      if is_type(index_key, 'set') then redis.call('SREM', index_key, id) end
    end
  end
end

local state = is_type(registry_key, 'hash') and redis.call('HMGET', registry_key, 'epoch', 'revision', 'digest') or {}
local epoch, revision, digest = state[1], tonumber(state[2] or ''), tonumber(state[3] or '', 16)
if not (epoch and revision and digest) then return {'gone', 0} end
revision = revision + 1
local revision_text = string.format('%.0f', revision)
digest = (digest - tonumber(old_tag, 16)) % 281474976710656
local digest_text = string.format('%06x%06x', math.floor(digest / 16777216), digest % 16777216)
redis.call('HSET', registry_key, 'revision', revision_text, 'digest', digest_text)
if is_type(changes_key, 'zset') or redis.call('EXISTS', changes_key) == 0 then
  if revision > 1 and redis.call('EXISTS', changes_key) == 0 then
    redis.call('HSET', registry_key, 'floor', string.format('%.0f', revision - 1))
  end
  redis.call('ZADD', changes_key, revision_text, id)
end
if channel ~= '' then
  redis.pcall('PUBLISH', channel, table.concat({
    '{"type":"NODE_DEREGISTERED",', string.sub(old_body, 2, -2), ',"timestamp":', now, ',"epoch":"', epoch,
    '","revision":', revision_text, ',"digest":"', digest_text, '","tag":"', old_tag, '","incarnation":"',
    old_incarnation, '","reason":"shutdown"}'}))
end
return {'deregistered', revision}
