-- What all scripts of the registry share; the build puts it before each of them.
--
-- KEYS[1] is P:registry, for routing; every other key is derived from P (protocol section 1).
local registry_key = KEYS[1]
local prefix = string.sub(registry_key, 1, -10)
local records_key = prefix .. ':records'
local changes_key = prefix .. ':changes'
local expiry_key = prefix .. ':expiry'
local nodes_index_key = prefix .. ':index:nodes'
local service_index = prefix .. ':index:service:'

local TAG_MODULUS = 281474976710656 -- 2^48
local CHANGES_MARGIN = 4096         -- tombstones kept beyond one entry a node
local PAGE = 512                    -- no call handles more

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function whole(number)
  return string.format('%.0f', number)
end

local function digits(tag)
  return string.format('%06x%06x', math.floor(tag / 16777216), tag % 16777216)
end

local function is_type(key, wanted)
  return redis.call('TYPE', key).ok == wanted
end

-- Runs a command on the key that is its first argument. A value of the wrong type under one of our names is nobody's, and
-- goes. The command's own failure tells: asking for the type before each would cost as much as the commands themselves.
local function own(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then return reply end
  if string.find(reply.err, 'WRONGTYPE', 1, true) then redis.call('DEL', (select(2, ...))) end
  return redis.call(...)
end

local function clear_unless(key, wanted)
  local found = redis.call('TYPE', key).ok
  if found ~= wanted and found ~= 'none' then redis.call('DEL', key) end
end

local function clear_foreign_bookkeeping()
  clear_unless(registry_key, 'hash')
  clear_unless(records_key, 'hash')
  clear_unless(changes_key, 'zset')
  clear_unless(expiry_key, 'zset')
  clear_unless(nodes_index_key, 'set')
end

-- PEXPIRE ... GT needs Redis 7; a node with a short ttl must not shorten what a node with a long one set. A lifetime is
-- renewed once a tenth of it is gone: each call would do it otherwise.
local function keep(key, lifetime)
  if redis.call('PTTL', key) < lifetime - lifetime / 10 then redis.call('PEXPIRE', key, lifetime) end
end

local function keep_bookkeeping(ttl)
  local lifetime = math.max(3600000, 10 * ttl)
  for _, key in ipairs({registry_key, records_key, changes_key, expiry_key}) do keep(key, lifetime) end
  return lifetime
end

local function heartbeat_key(id)
  return prefix .. ':heartbeat:' .. id
end

local function node_key(id)
  return prefix .. ':nodes:' .. id
end

-- The owner of a node, or false; a heartbeat that is no string belongs to nobody.
local function owner_of(id)
  local owner = redis.pcall('GET', heartbeat_key(id))
  if type(owner) ~= 'table' then return owner end
  return not string.find(owner.err, 'WRONGTYPE', 1, true) and redis.call('GET', heartbeat_key(id))
end

-- A record's line in parts, or nil when it is none, and whether there is a line. Without a tag it does not count in the
-- digest either.
local function read_record(id)
  local line = own('HGET', records_key, id)
  if not line then return nil, false end
  local revision, tag, incarnation, content, timestamp, body =
    string.match(line, '^(%d+) (%x+) (%S+) (%x+) (%d+) ({.*})$')
  if not tag or #tag ~= 12 then return nil, true end
  return {revision = revision, tag = tag, incarnation = incarnation, content = content, timestamp = timestamp,
    body = body}, true
end

local function content_of(address, services)
  return redis.sha1hex(address .. '\0' .. services)
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

local function names_in(body)
  local decoded, node = pcall(cjson.decode, body)
  return service_names(decoded and type(node) == 'table' and node.services)
end

local function leave_services(id, body, except)
  for name in pairs(names_in(body)) do
    if not except[name] then
      own('SREM', service_index .. name, id)
    end
  end
end

local function join_services(id, names, lifetime)
  for name in pairs(names) do
    own('SADD', service_index .. name, id)
    keep(service_index .. name, lifetime)
  end
end

-- The registry's numbers, or nil when it is not born or no longer whole. One whose records are not as many as it counted
-- lost some to eviction or to somebody's DEL, and with them what their tags add to the digest: its numbers no longer hold.
local function read_registry()
  local values = own('HMGET', registry_key, 'epoch', 'revision', 'digest', 'count', 'floor')
  local epoch, revision, digest, count = values[1] or '', values[2] or '', values[3] or '', values[4] or ''
  local floor = values[5] or ''
  if not (string.match(epoch, '^%w+$') and #epoch <= 64 and string.match(revision, '^%d+$') and #revision <= 15 and
    string.match(floor, '^%d+$') and #floor <= 15 and string.match(digest, '^%x+$') and #digest == 12) then
    return nil
  end
  if tostring(own('HLEN', records_key)) ~= count then return nil end
  return {epoch = epoch, revision = tonumber(revision), digest = tonumber(digest, 16), floor = tonumber(floor)}
end

-- Born again under a new epoch; the other nodes' repair beats and reconcile bring their records back.
local function new_registry(seed)
  redis.call('UNLINK', registry_key, records_key, changes_key, expiry_key)
  local epoch = string.sub(redis.sha1hex(table.concat({seed, clock[1], clock[2]}, ' ')), 1, 16)
  redis.call('HSET', registry_key, 'epoch', epoch, 'revision', 0, 'digest', '000000000000', 'count', 0, 'floor', 0)
  return {epoch = epoch, revision = 0, digest = 0}
end

-- Enters one change of a node: its record becomes what record(tag) says, or goes when that is nil. The old tag leaves the
-- digest, the new one comes in.
local function change(registry, id, incarnation, old_tag, record)
  registry.revision = registry.revision + 1
  local revision = whole(registry.revision)
  local tag = old_tag
  registry.digest = (registry.digest - tonumber(old_tag or '0', 16)) % TAG_MODULUS
  if record then
    tag = string.sub(redis.sha1hex(table.concat(
      {registry.epoch, id, incarnation, revision, clock[1], clock[2]}, ' ')), 1, 12)
    registry.digest = (registry.digest + tonumber(tag, 16)) % TAG_MODULUS
    redis.call('HSET', records_key, id, table.concat(
      {revision, tag, incarnation, record.content, record.timestamp, record.body}, ' '))
  else
    redis.call('HDEL', records_key, id)
  end
  local count = redis.call('HLEN', records_key)
  redis.call('HSET', registry_key, 'revision', revision, 'digest', digits(registry.digest), 'count', count)
  local is_new = own('ZADD', changes_key, revision, id) == 1
  local changes = redis.call('ZCARD', changes_key)
  if is_new and changes == 1 then
    -- Without the changes before this one the registry cannot say what happened since an earlier revision.
    keep(changes_key, 3600000)
    registry.floor = registry.revision - 1
    redis.call('HSET', registry_key, 'floor', whole(registry.floor))
  end
  local excess = changes - count - CHANGES_MARGIN
  if excess > 0 then
    local cut = redis.call('ZPOPMIN', changes_key, math.min(excess, PAGE))
    redis.call('HSET', registry_key, 'floor', whole(math.max(tonumber(cut[#cut]) or 0, registry.floor or 0)))
  end
  return tag
end

-- PUBLISH comes last and may fail: a user whose ACL forbids the channel still registers. A departure's reason stands
-- behind the one of the node's state, if there is one: of equal names the last counts, in every reader of JSON.
local function publish(registry, channel, event)
  if channel == '' then return end
  local members = string.sub(event.body, 2, -2)
  if string.match(members, '%S') then members = members .. ',' end
  local reason = event.reason and '","reason":"' .. event.reason or ''
  redis.pcall('PUBLISH', channel, table.concat({
    '{"type":"', event.type, '",', members, '"timestamp":', event.timestamp, ',"epoch":"',
    registry.epoch, '","revision":', whole(registry.revision), ',"digest":"', digits(registry.digest), '","tag":"',
    event.tag, '","incarnation":"', event.incarnation, reason, '"}'}))
end
