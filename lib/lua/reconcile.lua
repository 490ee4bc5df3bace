-- reconcile: makes the bookkeeping agree with what stands at the nodes' own keys (protocol section 4).
--
-- ARGV     1 how many nodes at the most (1 to 512)  2 channel, or '' to publish nothing
--          3 for how long (ms) the caller has been connected: it does not judge a longer silence than that
--          4 how many expiries are let through in a window whatever the fleet's size
--          5 the share of the nodes that may expire in a window, in percent  6 the window (ms)
--          7 what time (ms) it should be here when this is called, by an earlier answer; or ''
--          8 the epoch of a registry whose digest is wrong for its records, as the caller has read them all, twice; or ''
--          9 and on: ids to look at; without any, those that are due
-- replies  {ms until the next look is due or -1, expired, adopted, held back, nodes, not judged, time, epoch, revision}
-- include registry.lua
-- include clock.lua
-- include services.lua
-- include node.lua
-- include record.lua
-- include birth.lua
local limit, channel, connected = math.min(tonumber(ARGV[1]), PAGE), ARGV[2], tonumber(ARGV[3])
local window_floor, window_share, window = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local RETRY = 1000    -- a node without what belongs to it is repaired by its owner; an expiry held back comes again
local WATCHED = 10000 -- for so long a caller that publishes nothing leaves the work to those that do
local DEFAULT_TTL = 15000
local LATE = 1000     -- a call that was under way for longer was held up with the beats that should have come before it
local LATE_SHARE = 4  -- and so was one that took this part of the TTL by which it judges
local LEAST_TTL, LONGEST_TTL = 1000, 86400000

local late_by = ARGV[7] ~= '' and now - tonumber(ARGV[7]) or 0
-- Then not even the shortest silence may be judged by this call.
local is_late = late_by > LEAST_TTL / LATE_SHARE

delete_other_type(registry_key, 'hash')
delete_other_type(records_key, 'hash')
delete_other_type(changes_key, 'zset')
delete_other_type(expiry_key, 'zset')
delete_other_type(nodes_index_key, 'set')
-- include numbers.lua
-- include whole.lua
-- include floor.lua
-- include tombstones.lua
local expired, adopted, held, unjudged = 0, 0, 0, 0

-- The wheel: by its time, who is to be looked at then; below 0, by minus its TTL, who is silent and waits for a caller that
-- may judge so long a silence. So these stand in nobody's way, and whoever may judge some finds those and no others.
local function first_due(from)
  return tonumber(call('ZRANGEBYSCORE', expiry_key, from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2])
end

local function next_look()
  local due = first_due('-inf')
  local wait = due and math.max(0, due - now) or -1
  if not due or due >= 0 then return wait end
  -- What none of us wrote would wait for ever: without it the node is found among those that nobody looks at.
  if due < -LONGEST_TTL then call('ZREMRANGEBYSCORE', expiry_key, '-inf', '(' .. -LONGEST_TTL) end
  due = first_due(0)
  wait = due and math.max(0, due - now) or math.huge
  -- A late caller leaves those that it could judge otherwise.
  local silent = call('ZREVRANGEBYSCORE', expiry_key, '(' .. (is_late and -connected or 0), '-inf', 'WITHSCORES',
    'LIMIT', 0, 1)[2]
  if silent then wait = math.min(wait, math.max(0, -tonumber(silent) - connected)) end
  return wait < math.huge and wait or -1
end

local function outcome(wait)
  return {math.ceil(wait), expired, adopted, held, call('ZCARD', expiry_key), unjudged,
    now_text, epoch or '', epoch and revision or 0}
end

local function registry_number(field)
  local value = epoch and call('HGET', registry_key, field) or ''
  return string.match(value, '^%d+$') and #value <= 15 and tonumber(value) or 0
end

local function note(field, value)
  if epoch then call('HSET', registry_key, field, value) end
end
local function look_again(id, delay)
  call('ZADD', expiry_key, now + delay, id)
end

-- Whoever cannot write (the disk is full, replicas are missing) learns it at each look, also when there is nothing to write
-- or the work is left to others: the beats of all are refused as well, and their silence afterwards says nothing. It takes
-- no memory, and after a first write Redis refuses none for want of it: a look is whole also when memory is short.
call('HDEL', registry_key, 'probe')
if channel == '' and now - registry_number('watched_at') < WATCHED then return outcome(-1) end
-- A registry that is lost while its nodes live is born again, and they are entered from their own keys. So is one of which
-- somebody replaced a record: what its tag adds to the digest is not known any more.
local function be_born(seed)
  epoch, revision, digest, count = new_epoch(seed), 0, 0, 0
end
local indexed = call('SCARD', nodes_index_key) -- a user that may not look ends here, before it says that it has
if (not epoch or epoch == ARGV[8]) and indexed > 0 then be_born('reconcile') end
if channel ~= '' then note('watched_at', now) end

-- Services as somebody wrote them, if they can stand in a record.
local function readable_services(services)
  if string.sub(services, 1, 1) ~= '[' or #services > 262144 then return nil end
  local decoded, list = pcall(cjson.decode, services)
  if not decoded or type(list) ~= 'table' then return nil end
  return list
end

-- Whether a body says what stands at the node's own keys. The text of the services is the same in both.
local function says(body, address, services)
  if not string.find(body, '^{.*}$') or not string.find(body, '"services":' .. services, 1, true) then return false end
  local decoded, node = pcall(cjson.decode, body)
  return decoded and node.address == address
end

-- A node of this library left its whole body at its own key; it counts as long as nobody wrote another content there.
-- Of one of the original the remaining lifetime of its heartbeat tells about how long its silences are.
local function body_of(id, stored, remaining)
  local address, services, body = stored[1], stored[2], stored[3]
  if body and says(body, address, services) then return body end
  local ttl = remaining < DEFAULT_TTL and string.format(',"ttl":%d', math.max(remaining, 1000)) or ''
  return '{"nodeId":' .. cjson.encode(id) .. ',"address":' .. cjson.encode(address) .. ',"services":' .. services ..
    ttl .. '}'
end

-- The record of a node, or nil when there is none or it cannot be read.
local function read_record(id)
  local line = call('HGET', records_key, id)
  local tag, incarnation, _, body = split_record(line or '')
  return tag and {tag = tag, incarnation = incarnation, body = body} or nil
end

-- A record that became garbage took its tag with it.
local function renew_registry_for(id, known)
  if epoch and (known or call('HEXISTS', records_key, id) == 0) then return known end
  be_born(id)
end

-- The change of a node whose record was known, or nil: to another one, or to none.
local function enter(id, known, to, lifetime, kind, reason)
  local old_tag, incarnation, body = known and known.tag, (to or known).incarnation, (to or known).body
  local tag, timestamp, record = old_tag, now_text, nil
  if to then
    tag = string.sub(redis.sha1hex(
      epoch .. ' ' .. id .. ' ' .. incarnation .. ' ' .. revision .. ' ' .. clock[1] .. ' ' .. clock[2]), 1, 12)
    record = tag .. ' ' .. incarnation .. ' ' .. timestamp .. ' ' .. body
  end
  -- include change.lua
  if to then keep_bookkeeping(lifetime) else cut_tombstones() end
  -- include publish.lua
end

-- Enters a live node as it stands at its own keys: the original has written there, or the registry was lost.
local function adopt(id, owner, known)
  local node_key = prefix .. 'nodes:' .. id
  local stored = call('TYPE', node_key).ok == 'hash' and call('HMGET', node_key, 'address', 'services', 'record') or {}
  local list = stored[1] and stored[2] and readable_services(stored[2])
  local remaining = call('PTTL', prefix .. 'heartbeat:' .. id)
  -- A heartbeat without a lifetime is nobody's, but it says alive: it is looked at again like any other.
  if remaining < 0 then remaining = DEFAULT_TTL end
  look_again(id, list and remaining or math.min(RETRY, remaining))
  if not list then return end
  known = renew_registry_for(id, known)
  local names = service_names(list)
  -- Where the registry was born anew a node of this library that became another's still says itself what it offered.
  local body_before = known and known.body or stored[3]
  if body_before then leave_services(id, body_before, names) end
  local lifetime = math.max(LEAST_LIFETIME, 10 * remaining)
  for name in pairs(names) do
    local index = service_index(name)
    call('SADD', index, id)
    keep(index, lifetime)
  end
  local incarnation = string.gsub(owner, '[^%w%-_.]', '_')
  incarnation = incarnation == '' and '_' or string.sub(incarnation, 1, 64)
  if known and known.incarnation == incarnation and says(known.body, stored[1], stored[2]) then
    return keep_bookkeeping(lifetime)
  end

  call('SADD', nodes_index_key, id)
  look_again(id, remaining) -- once more: the registry may have been born here
  adopted = adopted + 1
  enter(id, known, {incarnation = incarnation, body = body_of(id, stored, remaining)}, lifetime,
    known and 'NODE_UPDATED' or 'NODE_REGISTERED')
end

-- Many nodes dying at once is more often a fault of the eyes than of the nodes. So a window lets only a share of the
-- fleet expire; what is above it waits for the next.
local function may_expire()
  local began, left = registry_number('window'), registry_number('window_left')
  if now >= began + window or now < began then
    began = now
    left = math.max(window_floor, math.floor(call('HLEN', records_key) * window_share / 100))
  end
  note('window', began)
  note('window_left', math.max(left - 1, 0))
  return left > 0
end

local function ttl_of(known)
  local decoded, node = pcall(cjson.decode, known.body)
  local ttl = decoded and type(node) == 'table' and tonumber(node.ttl)
  return ttl and ttl <= LONGEST_TTL and ttl or DEFAULT_TTL
end

-- The heartbeat is gone. Without a record nobody has heard of the node, and nobody is told.
local function expire(id, known)
  local is_deleted = known and known.incarnation == '1' and call('EXISTS', prefix .. 'nodes:' .. id) == 0 and
    call('SISMEMBER', nodes_index_key, id) == 0
  local ttl = known and ttl_of(known) or window
  if not is_deleted and (connected < ttl or late_by > math.min(LATE, math.max(ttl, LEAST_TTL) / LATE_SHARE)) then
    unjudged = unjudged + 1
    call('ZADD', expiry_key, 'XX', -math.max(ttl, LEAST_TTL), id)
    return
  end
  if not known then
    if epoch then renew_registry_for(id, nil) end
    leave_services(id, last_body(id), {})
    call('ZREM', expiry_key, id)
    call('SREM', nodes_index_key, id)
    return
  end
  if not is_deleted and not may_expire() then
    held = held + 1
    look_again(id, RETRY)
    return
  end
  call('DEL', prefix .. 'nodes:' .. id)
  call('SREM', nodes_index_key, id)
  call('ZREM', expiry_key, id)
  leave_services(id, known.body, {})
  expired = expired + 1
  enter(id, known, nil, nil, 'NODE_DEREGISTERED', is_deleted and 'shutdown' or 'expired')
end

local function look_at(id)
  local owner = owner_of(id)
  local known = epoch and read_record(id)
  if not owner then return expire(id, known) end
  adopt(id, owner, known)
end

-- Most nodes are alive and ours: that is seen by two commands for all of them and one for each, and one more sets when to
-- look next. What is left is looked at one by one.
local RECORD = '^%d+ ' .. string.rep('%x', 12) .. ' (%S+) %d+ {.*}$'
local function look_at_all(ids)
  local keys, looks, others = {}, {}, {}
  for i, id in ipairs(ids) do keys[i] = prefix .. 'heartbeat:' .. id end
  local owners = call('MGET', unpack(keys))
  local lines = call('HMGET', records_key, unpack(ids))
  for i, id in ipairs(ids) do
    local owner = owners[i]
    if epoch and owner and #owner == 16 and lines[i] and string.match(lines[i], RECORD) == owner then
      local remaining = call('PTTL', keys[i])
      looks[#looks + 1] = now + (remaining >= 0 and remaining or RETRY)
      looks[#looks + 1] = id
    else
      others[#others + 1] = id
    end
  end
  if #looks > 0 then call('ZADD', expiry_key, unpack(looks)) end
  for _, id in ipairs(others) do look_at(id) end
end

local ids = {}

-- Those of a page that stand in no line to be looked at, from where the last page ended.
local function take_unwatched(page, stride, cursor_name)
  for i = 1, #page[2], stride do
    local id = page[2][i]
    if #ids < limit and not call('ZSCORE', expiry_key, id) then ids[#ids + 1] = id end
  end
  note(cursor_name, page[1])
end

for i = 9, #ARGV do ids[#ids + 1] = ARGV[i] end
if #ids == 0 then
  ids = call('ZRANGEBYSCORE', expiry_key, is_late and 0 or -connected, now, 'LIMIT', 0, limit)
  local watched = call('ZCARD', expiry_key)
  -- Nodes that nobody has entered yet.
  if #ids < limit and indexed ~= watched then
    take_unwatched(call('SSCAN', nodes_index_key, registry_number('scan'), 'COUNT', limit), 1, 'scan')
  end
  -- Nodes of the original that left the index while nothing said when to look at them.
  if #ids < limit and call('HLEN', records_key) > watched then
    local cursor = registry_number('scan_records')
    take_unwatched(call('HSCAN', records_key, cursor, 'COUNT', limit), 2, 'scan_records')
  end
end
if #ids > 0 then look_at_all(ids) end

-- An expiry that is held back comes again a little later than the next look: it is not over before that has passed.
if held > 0 then
  note('held_at', now)
elseif now - registry_number('held_at') < 2 * RETRY then
  held = 1
end
return outcome(next_look())
