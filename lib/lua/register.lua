-- register: makes a node stand in the registry as its owner wants it (protocol section 4).
--
-- ARGV     1 id  2 incarnation  3 tag of the change, if it becomes one: 48 random bits in hex  4 policy
--          5 heartbeat ttl (ms)  6 address  7 services (JSON array)
--          8 body (JSON object with nodeId, address, services, ...)  9 channel, or '' to publish nothing
--          10 and on: the names of the services
-- policy   take-over: the newest wins; reject: a live other owner stays; renew: only what is ours or nobody's
-- replies  {registered | updated | unchanged, revision}, {held, remaining ttl}, {fenced, remaining ttl}; behind {updated,
--          revision} the incarnation and body of another owner's signed record, when one stood there
-- include registry.lua
-- include clock.lua
local id, incarnation, tag, policy, ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local address, services, body, channel = ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local heartbeat_key, node_key = prefix .. 'heartbeat:' .. id, prefix .. 'nodes:' .. id

if policy ~= 'take-over' then
  -- include node.lua
  local owner = owner_of(id)
  if owner and owner ~= incarnation then
    return {policy == 'reject' and 'held' or 'fenced', call('PTTL', heartbeat_key)}
  end
end

-- include numbers.lua
local line = try('HGET', records_key, id)
local old_tag, old_incarnation, old_timestamp, old_body
if line and line.err then
  if not string.find(line.err, 'WRONGTYPE', 1, true) then return call('HGET', records_key, id) end
elseif line then
  -- include record.lua
  old_tag, old_incarnation, old_timestamp, old_body = split_record(line)
end
if line and not old_tag then epoch = nil end -- a record that became garbage took its tag with it
if policy == 'renew' then -- who comes for the first time leaves that to those who are there
  -- include whole.lua
end
if not epoch then
  -- What it offered until now: where its record is lost as well, its own key says so.
  -- include node.lua
  old_body = last_body(id, old_body)
  -- include birth.lua
  old_tag, epoch, revision, digest, count = nil, new_epoch(id .. ' ' .. incarnation), 0, 0, 0
end
local is_unchanged = old_tag and old_incarnation == incarnation and old_body == body
local timestamp = is_unchanged and old_timestamp or now_text

-- What stands at the node's own keys and in the indexes is written either way: that is the repair of whatever was
-- evicted or deleted. What is of another type there is found by the failure it causes: to ask for the types before would
-- cost as much as the writing.
local lifetime = math.max(LEAST_LIFETIME, 10 * ttl)
local worn = 0.9 * lifetime
local written
local write = try
for _ = 1, 2 do
  call('SET', heartbeat_key, incarnation, 'PX', ttl)
  written = write('HSET', node_key, 'address', address, 'services', services, 'timestamp', timestamp, 'record', body)
  if tonumber(written) then written = write('SADD', nodes_index_key, id) end
  if tonumber(written) then written = write('ZADD', expiry_key, now + ttl, id) end
  for i = 10, #ARGV do
    local index = prefix .. 'index:service:' .. ARGV[i]
    if tonumber(written) then written = write('SADD', index, id) end
    if call('PTTL', index) < worn then call('PEXPIRE', index, lifetime) end
  end
  if tonumber(written) then break end
  -- include types.lua
  delete_other_type(node_key, 'hash')
  delete_other_type(nodes_index_key, 'set')
  delete_other_type(expiry_key, 'zset')
  for i = 10, #ARGV do delete_other_type(prefix .. 'index:service:' .. ARGV[i], 'set') end
  write = call -- whose error says where it is
end
call('PEXPIRE', node_key, ttl .. '0') -- ten times
if is_unchanged then
  -- include lifetimes.lua
  keep_bookkeeping(lifetime)
  return {'unchanged', revision}
end

if old_body and not string.find(old_body, '"services":' .. services, 1, true) then
  -- include services.lua
  local names = {}
  for i = 10, #ARGV do names[ARGV[i]] = true end
  leave_services(id, old_body, names)
end
local record = tag .. ' ' .. incarnation .. ' ' .. timestamp .. ' ' .. body
-- include change.lua
if call('PTTL', changes_key) < worn or count == 1 then -- one tells for all: they are renewed together
  -- include lifetimes.lua
  keep_bookkeeping(lifetime)
end
local kind, reason = old_tag and 'NODE_UPDATED' or 'NODE_REGISTERED', nil
-- include publish.lua
if old_tag and old_incarnation ~= incarnation and string.find(old_body, '"signature":', 1, true) then
  return {'updated', revision, old_incarnation, old_body}
end
return {old_tag and 'updated' or 'registered', revision}
