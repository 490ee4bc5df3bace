-- deregister: takes a node out of the registry, if it still belongs to whoever asks (protocol section 4).
--
-- ARGV     1 id  2 incarnation  3 channel, or '' to publish nothing
-- replies  {deregistered, revision}, {gone, 0}, {fenced, remaining ttl}
-- include registry.lua
-- include clock.lua
-- include services.lua
-- include node.lua
-- include record.lua
local id, incarnation, channel = ARGV[1], ARGV[2], ARGV[3]

local owner = owner_of(id)
if owner and owner ~= incarnation then return {'fenced', call('PTTL', prefix .. 'heartbeat:' .. id)} end
delete_other_type(registry_key, 'hash')
delete_other_type(records_key, 'hash')
local line = call('HGET', records_key, id)
local old_tag, old_incarnation, _, body = split_record(line or '')
-- Another process registered the id after us and died: its record is for whoever reconciles, not for us.
if not owner and old_tag and old_incarnation ~= incarnation then return {'gone', 0} end

leave_services(id, last_body(id, body), {})
call('DEL', prefix .. 'heartbeat:' .. id, prefix .. 'nodes:' .. id)
delete_other_type(nodes_index_key, 'set')
delete_other_type(expiry_key, 'zset')
call('SREM', nodes_index_key, id)
call('ZREM', expiry_key, id)
-- include numbers.lua
-- include whole.lua
if not (old_tag and epoch) then
  -- A tag leaves that the digest counts, or may count. Beside a foreign record the number of records would be right
  -- again by chance, and the registry look whole.
  if call('HDEL', records_key, id) == 1 or not epoch then call('HDEL', registry_key, 'count') end
  return {'gone', 0}
end

local tag, record = old_tag, nil
-- include change.lua
-- include tombstones.lua
cut_tombstones()
local kind, timestamp, reason = 'NODE_DEREGISTERED', now_text, 'shutdown'
incarnation = old_incarnation
-- include publish.lua
return {'deregistered', revision}
