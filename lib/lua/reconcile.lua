-- reconcile: makes the bookkeeping agree with what stands at the nodes' own keys (protocol section 4).
-- include change.lua
-- include node.lua
--
-- ARGV     1 how many nodes at the most (1 to 512)  2 channel, or '' to publish nothing
--          3 for how long (ms) the caller has been connected: it does not judge a longer silence than that
--          4 how many expiries are let through in a window whatever the fleet's size
--          5 the share of the nodes that may expire in a window, in percent  6 the window (ms)
--          7 what time (ms) it should be here when this is called, by an earlier answer; or ''
--          8 the epoch of a registry whose digest is wrong for its records, as the caller has read them all, twice; or ''
--          9 and on: ids to look at; without any, those that are due
-- replies  {ms until the next look is due or -1, expired, adopted, held back, nodes, not judged, time, epoch, revision}
local limit, channel, connected = math.min(tonumber(ARGV[1]), PAGE), ARGV[2], tonumber(ARGV[3])
local window_floor, window_share, window = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local RETRY = 1000    -- a node without what belongs to it is repaired by its owner; an expiry held back comes again
local WATCHED = 10000 -- for so long a caller that publishes nothing leaves the work to those that do
local DEFAULT_TTL = 15000
local LATE = 1000     -- a call that was under way for longer was held up with the beats that should have come before it
local LATE_SHARE = 4  -- and so was one that took this part of the TTL by which it judges
local LEAST_TTL = 1000

local late_by = ARGV[7] ~= '' and now - tonumber(ARGV[7]) or 0

-- What stands under our names and is of another type is nobody's.
for key, wanted in pairs({[registry_key] = 'hash', [records_key] = 'hash', [changes_key] = 'zset', [expiry_key] = 'zset',
  [nodes_index_key] = 'set'}) do
  local found = redis.call('TYPE', key).ok
  if found ~= wanted and found ~= 'none' then redis.call('DEL', key) end
end
local registry = read_registry()
local expired, adopted, held, unjudged = 0, 0, 0, 0

local function outcome()
  local next_look = redis.call('ZRANGE', expiry_key, 0, 0, 'WITHSCORES')
  local wait = next_look[2] and math.max(0, tonumber(next_look[2]) - now) or -1
  return {math.ceil(wait), expired, adopted, held, redis.call('ZCARD', expiry_key), unjudged,
    whole(now), registry and registry.epoch or '', registry and registry.revision or 0}
end

local function registry_number(field)
  local value = registry and redis.call('HGET', registry_key, field) or ''
  return string.match(value, '^%d+$') and #value <= 15 and tonumber(value) or 0
end

-- Writes that may be refused when Redis is out of memory, and are not worth failing for.
local function note(field, value)
  if registry then redis.pcall('HSET', registry_key, field, whole(value)) end
end
local function look_again(id, delay)
  local written = redis.pcall('ZADD', expiry_key, whole(now + delay), id)
  return type(written) == 'number'
end

if channel == '' and now - registry_number('watched_at') < WATCHED then return outcome() end
-- Whoever cannot write (the disk is full, replicas are missing) learns it at each look, also when there is nothing to write:
-- the beats of the others are refused as well, and their silence afterwards says nothing.
redis.call('HDEL', registry_key, 'probe')
-- A registry that is lost while its nodes live is born again, and they are entered from their own keys. So is one of which
-- somebody replaced a record: what its tag adds to the digest is not known any more.
local is_doubted = registry and registry.epoch == ARGV[8]
if (not registry or is_doubted) and redis.call('SCARD', nodes_index_key) > 0 then registry = new_registry('reconcile') end
if channel ~= '' then note('watched_at', now) end

-- Services as somebody wrote them, if they can stand in a record.
local function readable_services(services)
  if string.sub(services, 1, 1) ~= '[' or #services > 262144 then return nil end
  local decoded, list = pcall(cjson.decode, services)
  if not decoded or type(list) ~= 'table' then return nil end
  return list
end

-- A node of this library left its whole body at its own key; it counts as long as nobody wrote another content there.
-- Of one of the original the remaining lifetime of its heartbeat tells about how long its silences are.
local function body_of(id, stored, content, remaining)
  local address, services, record = stored[1], stored[2], stored[3]
  if record and string.sub(record, 1, 41) == content .. ' ' then return string.sub(record, 42) end
  local ttl = remaining < DEFAULT_TTL and ',"ttl":' .. whole(math.max(remaining, 1000)) or ''
  return table.concat({'{"nodeId":', cjson.encode(id), ',"address":', cjson.encode(address), ',"services":', services,
    ttl, '}'})
end

local function renew_registry_for(id, known)
  if not registry or (not known and redis.call('HEXISTS', records_key, id) == 1) then
    registry = new_registry(id) -- a record that became garbage took its tag with it
    return nil
  end
  return known
end

-- Enters a live node as it stands at its own keys: the original has written there, or the registry was lost.
local function adopt(id, owner, known)
  local stored = redis.call('TYPE', nodes .. id).ok == 'hash' and
    redis.call('HMGET', nodes .. id, 'address', 'services', 'record') or {}
  local list = stored[1] and stored[2] and readable_services(stored[2])
  local remaining = redis.call('PTTL', heartbeats .. id)
  -- A heartbeat without a lifetime is nobody's, but it says alive: it is looked at again like any other.
  if remaining < 0 then remaining = DEFAULT_TTL end
  if not look_again(id, list and remaining or math.min(RETRY, remaining)) or not list then return end
  known = renew_registry_for(id, known)
  local names = service_names(list)
  local content = redis.sha1hex(stored[1] .. '\0' .. stored[2])
  if known then leave_services(id, known.body, names) end
  local lifetime = math.max(LEAST_LIFETIME, 10 * remaining)
  join_services(id, names, lifetime)
  local incarnation = string.gsub(owner, '[^%w%-_.]', '_')
  incarnation = incarnation == '' and '_' or string.sub(incarnation, 1, 64)
  if known and known.incarnation == incarnation and known.content == content then
    return keep_bookkeeping(lifetime, true)
  end

  redis.call('SADD', nodes_index_key, id)
  look_again(id, remaining) -- once more: the registry may have been born here
  local body = body_of(id, stored, content, remaining)
  local tag = change(registry, id, incarnation, known and known.tag,
    {content = content, timestamp = whole(now), body = body})
  keep_bookkeeping(lifetime, true)
  adopted = adopted + 1
  publish(registry, channel, {type = known and 'NODE_UPDATED' or 'NODE_REGISTERED', body = body,
    timestamp = whole(now), tag = tag, incarnation = incarnation})
end

-- Many nodes dying at once is more often a fault of the eyes than of the nodes. So a window lets only a share of the
-- fleet expire; what is above it waits for the next.
local function may_expire()
  local began, left = registry_number('window'), registry_number('window_left')
  if now >= began + window or now < began then
    began = now
    left = math.max(window_floor, math.floor(redis.call('HLEN', records_key) * window_share / 100))
  end
  note('window', began)
  note('window_left', math.max(left - 1, 0))
  return left > 0
end

local function ttl_of(known)
  local decoded, node = pcall(cjson.decode, known.body)
  local ttl = decoded and type(node) == 'table' and tonumber(node.ttl)
  return ttl and ttl <= 86400000 and ttl or DEFAULT_TTL
end

-- The heartbeat is gone. Without a record nobody has heard of the node, and nobody is told.
local function expire(id, known)
  local is_deleted = known and known.incarnation == '1' and redis.call('EXISTS', nodes .. id) == 0 and
    redis.call('SISMEMBER', nodes_index_key, id) == 0
  local ttl = known and ttl_of(known) or window
  if not is_deleted and (connected < ttl or late_by > math.min(LATE, math.max(ttl, LEAST_TTL) / LATE_SHARE)) then
    unjudged = unjudged + 1 -- left as it is, for somebody who may judge
    return
  end
  if not known then
    if registry then renew_registry_for(id, nil) end
    leave_services(id, last_body(id, nil), {})
    redis.call('ZREM', expiry_key, id)
    redis.call('SREM', nodes_index_key, id)
    return
  end
  if not is_deleted and not may_expire() then
    held = held + 1
    look_again(id, RETRY)
    return
  end
  redis.call('DEL', nodes .. id)
  redis.call('SREM', nodes_index_key, id)
  redis.call('ZREM', expiry_key, id)
  leave_services(id, known.body, {})
  change(registry, id, known.incarnation, known.tag, nil)
  expired = expired + 1
  publish(registry, channel, {type = 'NODE_DEREGISTERED', body = known.body, timestamp = whole(now), tag = known.tag,
    incarnation = known.incarnation, reason = is_deleted and 'shutdown' or 'expired'})
end

local function look_at(id)
  local owner = owner_of(id)
  local known = registry and read_record(id)
  if not owner then return expire(id, known) end
  adopt(id, owner, known)
end

-- Most nodes are alive and ours: that is seen by two commands for all of them and one for each, and one more sets when to
-- look next. What is left is looked at one by one.
local RECORD = '^%d+ ' .. string.rep('%x', 12) .. ' (%S+) %x+ %d+ {.*}$'
local function look_at_all(ids)
  local keys, looks, others = {}, {}, {}
  for i, id in ipairs(ids) do keys[i] = heartbeats .. id end
  local owners = redis.call('MGET', unpack(keys))
  local lines = redis.call('HMGET', records_key, unpack(ids))
  for i, id in ipairs(ids) do
    local owner = owners[i]
    if registry and owner and #owner == 16 and lines[i] and string.match(lines[i], RECORD) == owner then
      local remaining = redis.call('PTTL', keys[i])
      looks[#looks + 1] = whole(now + (remaining >= 0 and remaining or RETRY))
      looks[#looks + 1] = id
    else
      others[#others + 1] = id
    end
  end
  if #looks > 0 then redis.pcall('ZADD', expiry_key, unpack(looks)) end
  for _, id in ipairs(others) do look_at(id) end
end

local ids = {}

-- Those of a page that stand in no line to be looked at, from where the last page ended.
local function take_unwatched(command, key, stride, cursor_name)
  local page = redis.call(command, key, whole(registry_number(cursor_name)), 'COUNT', limit)
  for i = 1, #page[2], stride do
    local id = page[2][i]
    if #ids < limit and not redis.call('ZSCORE', expiry_key, id) then ids[#ids + 1] = id end
  end
  note(cursor_name, tonumber(page[1]))
end

for i = 9, #ARGV do ids[#ids + 1] = ARGV[i] end
if #ids == 0 then
  ids = redis.call('ZRANGEBYSCORE', expiry_key, '-inf', whole(now), 'LIMIT', 0, limit)
  local watched = redis.call('ZCARD', expiry_key)
  -- Nodes that nobody has entered yet.
  if #ids < limit and redis.call('SCARD', nodes_index_key) ~= watched then
    take_unwatched('SSCAN', nodes_index_key, 1, 'scan')
  end
  -- Nodes of the original that left the index while nothing said when to look at them.
  if #ids < limit and redis.call('HLEN', records_key) > watched then
    take_unwatched('HSCAN', records_key, 2, 'scan_records')
  end
end
if #ids > 0 then look_at_all(ids) end

-- An expiry that is held back comes again a little later than the next look: it is not over before that has passed.
if held > 0 then
  note('held_at', now)
elseif now - registry_number('held_at') < 2 * RETRY then
  held = 1
end
return outcome()
