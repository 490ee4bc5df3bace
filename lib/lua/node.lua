-- What stands at a node's own keys.
-- include registry.lua

-- The owner of a node, or false; a heartbeat that is no string belongs to nobody.
local function owner_of(id)
  local owner = redis.pcall('GET', heartbeats .. id)
  if type(owner) ~= 'table' then return owner end
  return not string.find(owner.err, 'WRONGTYPE', 1, true) and redis.call('GET', heartbeats .. id)
end

-- A JSON object with the services that a node is indexed under, also when its record is lost.
local function last_body(id, known)
  if known then return known.body end
  local services = redis.pcall('HGET', nodes .. id, 'services')
  return '{"services":' .. (type(services) == 'string' and services or '[]') .. '}'
end
