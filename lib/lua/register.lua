-- register: makes a node stand in the registry as its owner wants it (protocol section 4).
-- include change.lua
--
-- ARGV     1 id  2 incarnation  3 policy  4 heartbeat ttl (ms)  5 address  6 services (JSON array)
--          7 body (JSON object with nodeId, address, services, ...)  8 channel, or '' to publish nothing
-- policy   take-over: the newest wins; reject: a live other owner stays; renew: only what is ours or nobody's
-- replies  {registered | updated | unchanged, revision}, {held, remaining ttl}, {fenced, remaining ttl}
local id, incarnation, policy, ttl = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local address, services, body, channel = ARGV[5], ARGV[6], ARGV[7], ARGV[8]

if policy ~= 'take-over' then
  local owner = own('GET', heartbeats .. id)
  if owner and owner ~= incarnation then
    return {policy == 'reject' and 'held' or 'fenced', redis.call('PTTL', heartbeats .. id)}
  end
end
local registry = read_registry()
local known, is_there = read_record(id)
-- A record that became garbage took its tag with it.
if not registry or (not known and is_there) then
  registry = new_registry(id .. ' ' .. incarnation)
  known = nil
end
local unchanged = known and known.incarnation == incarnation and known.body == body
local timestamp = unchanged and known.timestamp or whole(now)

-- What stands at the node's own keys is written either way: that is the repair of whatever was evicted or deleted.
redis.call('SET', heartbeats .. id, incarnation, 'PX', ARGV[4])
local content = redis.sha1hex(address .. '\0' .. services)
own('HSET', nodes .. id, 'address', address, 'services', services, 'timestamp', timestamp, 'record',
  content .. ' ' .. body)
redis.call('PEXPIRE', nodes .. id, 10 * ttl)
own('SADD', nodes_index_key, id)
own('ZADD', expiry_key, whole(now + ttl), id)
local names = service_names(cjson.decode(services))
local lifetime = math.max(LEAST_LIFETIME, 10 * ttl)
join_services(id, names, lifetime)
if unchanged then
  keep_bookkeeping(lifetime, true)
  return {'unchanged', registry.revision}
end

if known then leave_services(id, known.body, names) end
local tag = change(registry, id, incarnation, known and known.tag,
  {content = content, timestamp = timestamp, body = body})
keep_bookkeeping(lifetime, registry.count == 1)
publish(registry, channel, {type = known and 'NODE_UPDATED' or 'NODE_REGISTERED', body = body, timestamp = timestamp,
  tag = tag, incarnation = incarnation})
return {known and 'updated' or 'registered', registry.revision}
