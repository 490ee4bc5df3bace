-- deregister: takes a node out of the registry, if it still belongs to whoever asks (protocol section 4).
-- include change.lua
-- include node.lua
--
-- ARGV     1 id  2 incarnation  3 channel, or '' to publish nothing
-- replies  {deregistered, revision}, {gone, 0}, {fenced, remaining ttl}
local id, incarnation, channel = ARGV[1], ARGV[2], ARGV[3]

local owner = owner_of(id)
if owner and owner ~= incarnation then return {'fenced', redis.call('PTTL', heartbeats .. id)} end
local known = read_record(id)
-- Another process registered the id after us and died: its record is for whoever reconciles, not for us.
if not owner and known and known.incarnation ~= incarnation then return {'gone', 0} end

leave_services(id, last_body(id, known), {})
redis.call('DEL', heartbeats .. id, nodes .. id)
own('SREM', nodes_index_key, id)
own('ZREM', expiry_key, id)
local registry = read_registry()
if not (known and registry) then
  -- A tag leaves that the digest counts, or may count. Beside a foreign record the number of records would be right
  -- again by chance, and the registry look whole.
  if redis.call('HDEL', records_key, id) == 1 then redis.call('HDEL', registry_key, 'count') end
  return {'gone', 0}
end

change(registry, id, known.incarnation, known.tag, nil)
publish(registry, channel, {type = 'NODE_DEREGISTERED', body = known.body, timestamp = whole(now), tag = known.tag,
  incarnation = known.incarnation, reason = 'shutdown'})
return {'deregistered', registry.revision}
