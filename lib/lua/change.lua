-- How the registry changes: its bookkeeping lives on, its service indexes follow, its numbers move, its watchers hear of it.
-- include registry.lua
local CHANGES_MARGIN = 4096    -- tombstones kept beyond one entry a node
local LEAST_LIFETIME = 3600000 -- of the bookkeeping; or ten times a node's heartbeat ttl

-- PEXPIRE ... GT needs Redis 7; a node with a short ttl must not shorten what a node with a long one set. A lifetime is
-- renewed once a tenth of it is gone: each call would do it otherwise. Returns whether it was.
local function keep(key, lifetime)
  local is_due = redis.call('PTTL', key) < lifetime - lifetime / 10
  if is_due then redis.call('PEXPIRE', key, lifetime) end
  return is_due
end

-- The keys of the bookkeeping are renewed together, so one tells for all: that which nothing would miss if it was evicted
-- and made again. The first record makes a new key as well.
local function keep_bookkeeping(lifetime, looks_at_each)
  if keep(expiry_key, lifetime) or looks_at_each then
    keep(registry_key, lifetime)
    keep(records_key, lifetime)
    keep(changes_key, lifetime)
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

local function leave_services(id, body, except)
  local decoded, node = pcall(cjson.decode, body)
  for name in pairs(service_names(decoded and type(node) == 'table' and node.services)) do
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

-- Born again under a new epoch; the other nodes' repair beats and reconcile bring their records back.
local function new_registry(seed)
  redis.call('UNLINK', registry_key, records_key, changes_key, expiry_key)
  local epoch = string.sub(redis.sha1hex(table.concat({seed, clock[1], clock[2]}, ' ')), 1, 16)
  redis.call('HSET', registry_key, 'epoch', epoch, 'revision', 0, 'digest', '000000000000', 'count', 0, 'floor', 0)
  return {epoch = epoch, revision = 0, digest = 0, count = 0, floor = 0}
end

-- The ids in changes are more, or those of live nodes fewer: one may be the first after a loss, or too many.
local function raise_floor(registry)
  local changes = redis.call('ZCARD', changes_key)
  local excess = changes - registry.count - CHANGES_MARGIN
  if changes == 1 then
    -- Without the changes before this one the registry cannot say what happened since an earlier revision.
    keep(changes_key, LEAST_LIFETIME)
    registry.floor = registry.revision - 1
  elseif excess > 0 then
    local cut = redis.call('ZPOPMIN', changes_key, math.min(excess, PAGE))
    registry.floor = math.max(tonumber(cut[#cut]) or 0, registry.floor)
  else
    return
  end
  redis.call('HSET', registry_key, 'floor', whole(registry.floor))
end

-- Enters one change of a node: its record becomes what record(tag) says, or goes when that is nil. The old tag leaves the
-- digest, the new one comes in.
local function change(registry, id, incarnation, old_tag, record)
  registry.revision = registry.revision + 1
  registry.revision_text = whole(registry.revision)
  local revision, tag = registry.revision_text, old_tag
  registry.digest = (registry.digest - tonumber(old_tag or '0', 16)) % TAG_MODULUS
  if record then
    tag = string.sub(redis.sha1hex(table.concat(
      {registry.epoch, id, incarnation, revision, clock[1], clock[2]}, ' ')), 1, 12)
    registry.digest = (registry.digest + tonumber(tag, 16)) % TAG_MODULUS
    registry.count = registry.count + redis.call('HSET', records_key, id, table.concat(
      {revision, tag, incarnation, record.content, record.timestamp, record.body}, ' '))
  else
    registry.count = registry.count - redis.call('HDEL', records_key, id)
  end
  registry.digest_text = digits(registry.digest)
  redis.call('HSET', registry_key, 'revision', revision, 'digest', registry.digest_text, 'count',
    whole(registry.count))
  if own('ZADD', changes_key, revision, id) == 1 or not record then raise_floor(registry) end
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
    registry.epoch, '","revision":', registry.revision_text, ',"digest":"', registry.digest_text, '","tag":"',
    event.tag, '","incarnation":"', event.incarnation, reason, '"}'}))
end
