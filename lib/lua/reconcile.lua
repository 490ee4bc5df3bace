-- reconcile: makes the bookkeeping agree with what stands at the nodes' own keys (protocol section 4).
--
-- ARGV     1 how many nodes at the most (1 to 512)  2 channel, or '' to publish nothing
--          3 how many expiries are let through in a window whatever the fleet's size; -1: none by this caller, who
--            has not been connected for long enough to judge
--          4 the share of the nodes that may expire in a window, in percent  5 the window (ms)
--          6 and on: ids to look at; without any, those that are due
-- replies  {ms until the next look is due, expired, adopted, expiries held back, nodes}
local limit, channel = math.min(tonumber(ARGV[1]), PAGE), ARGV[2]
local window_floor, window_share, window = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local RETRY = 1000 -- a node without what belongs to it is repaired by its owner; an expiry held back comes again

clear_foreign_bookkeeping()
local registry = read_registry()
local expired, adopted, held = 0, 0, 0

local function look_again(id, delay)
  redis.call('ZADD', expiry_key, whole(now + delay), id)
end

-- Services as somebody wrote them, if they can stand in a record.
local function readable_services(services)
  if string.sub(services, 1, 1) ~= '[' or #services > 262144 then return nil end
  local decoded, list = pcall(cjson.decode, services)
  if not decoded or type(list) ~= 'table' then return nil end
  return list
end

-- Enters a live node as it stands at its own keys: the original has written there.
local function adopt(id, owner, known)
  local stored = is_type(node_key(id), 'hash') and redis.call('HMGET', node_key(id), 'address', 'services') or {}
  local address, services = stored[1], stored[2]
  local list = address and services and readable_services(services)
  local remaining = redis.call('PTTL', heartbeat_key(id))
  -- A heartbeat without a lifetime is nobody's, but it says alive: it is looked at again like any other.
  if remaining < 0 then remaining = 15000 end
  if not list then return look_again(id, math.min(RETRY, remaining)) end
  look_again(id, remaining)
  local content = content_of(address, services)
  if known and known.incarnation == owner and known.content == content then return end

  if not registry or (not known and redis.call('HEXISTS', records_key, id) == 1) then
    registry = new_registry(id .. ' ' .. owner)
    known = nil
  end
  local names = service_names(list)
  if known then leave_services(id, known.body, names) end
  join_services(id, names, keep_bookkeeping(remaining))
  redis.call('SADD', nodes_index_key, id)
  look_again(id, remaining) -- once more: the registry may have been born here
  local body = table.concat({'{"nodeId":', cjson.encode(id), ',"address":', cjson.encode(address), ',"services":',
    services, '}'})
  local incarnation = string.gsub(owner, '[^%w%-_.]', '_')
  incarnation = incarnation == '' and '_' or string.sub(incarnation, 1, 64)
  local tag = change(registry, id, incarnation, known and known.tag,
    {content = content, timestamp = whole(now), body = body})
  adopted = adopted + 1
  publish(registry, channel, {type = known and 'NODE_UPDATED' or 'NODE_REGISTERED', body = body,
    timestamp = whole(now), tag = tag, incarnation = incarnation})
end

-- Many nodes dying at once is more often a fault of the eyes than of the nodes. So a window lets only a share of the
-- fleet expire; what is above it waits for the next.
local function may_expire()
  local state = redis.call('HMGET', registry_key, 'window', 'window_left')
  local began, left = tonumber(state[1] or ''), tonumber(state[2] or '')
  if not began or not left or now >= began + window or now < began then
    began = now
    left = math.max(window_floor, math.floor(redis.call('HLEN', records_key) * window_share / 100))
  end
  if left > 0 then left = left - 1 else left = -1 end
  redis.call('HSET', registry_key, 'window', whole(began), 'window_left', whole(math.max(left, 0)))
  return left >= 0
end

local function expire(id, known)
  if not (known and registry) then
    redis.call('SREM', nodes_index_key, id)
    redis.call('ZREM', expiry_key, id)
    redis.call('HDEL', records_key, id)
    return
  end
  local is_ours = #known.incarnation == 16
  local is_deleted = not is_ours and redis.call('EXISTS', node_key(id)) == 0 and
    redis.call('SISMEMBER', nodes_index_key, id) == 0
  if not is_deleted and window_floor < 0 then -- left as it is, for somebody who may judge
    held = held + 1
    return
  end
  if not is_deleted and not may_expire() then
    held = held + 1
    return look_again(id, RETRY)
  end
  redis.call('DEL', node_key(id))
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
  local known = read_record(id)
  if not owner then return expire(id, known) end
  if known and known.incarnation == owner and #owner == 16 then
    local remaining = redis.call('PTTL', heartbeat_key(id))
    return look_again(id, remaining >= 0 and remaining or RETRY)
  end
  adopt(id, owner, known)
end

local ids = {}
for i = 6, #ARGV do ids[#ids + 1] = ARGV[i] end
if #ids == 0 then
  ids = redis.call('ZRANGEBYSCORE', expiry_key, '-inf', whole(now), 'LIMIT', 0, limit)
  -- Nodes that nobody has entered yet: a page of the index, from where the last one ended.
  if redis.call('SCARD', nodes_index_key) ~= redis.call('ZCARD', expiry_key) then
    local cursor = redis.call('HGET', registry_key, 'scan') or '0'
    local page = redis.call('SSCAN', nodes_index_key, cursor, 'COUNT', limit)
    for _, id in ipairs(page[2]) do
      if #ids < 2 * limit and not redis.call('ZSCORE', expiry_key, id) then ids[#ids + 1] = id end
    end
    if registry then redis.call('HSET', registry_key, 'scan', page[1]) end
  end
end
for _, id in ipairs(ids) do look_at(id) end

local next_look = redis.call('ZRANGE', expiry_key, 0, 0, 'WITHSCORES')
local wait = next_look[2] and math.max(0, tonumber(next_look[2]) - now) or -1
return {math.ceil(wait), expired, adopted, held, redis.call('ZCARD', expiry_key)}
