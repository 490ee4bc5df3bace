-- Who owns a node.
-- include registry.lua

-- The owner of a node, or false; a heartbeat that is no string belongs to nobody.
local function owner_of(id)
  local owner = redis.pcall('GET', heartbeats .. id)
  if type(owner) ~= 'table' then return owner end
  return not string.find(owner.err, 'WRONGTYPE', 1, true) and redis.call('GET', heartbeats .. id)
end
