-- What stands at a node's own keys.

-- The owner of a node, or false; a heartbeat that is no string belongs to nobody.
local function owner_of(id)
  local owner = try('GET', prefix .. 'heartbeat:' .. id)
  if type(owner) ~= 'table' then return owner end
  return not string.find(owner.err, 'WRONGTYPE', 1, true) and call('GET', prefix .. 'heartbeat:' .. id)
end

-- A JSON object with the services that a node is indexed under, also when its record is lost.
local function last_body(id, body)
  if body then return body end
  local services = try('HGET', prefix .. 'nodes:' .. id, 'services')
  return '{"services":' .. (type(services) == 'string' and services or '[]') .. '}'
end
