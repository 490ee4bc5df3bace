-- The services that a node offers, by what its body says, and their indexes.
-- include types.lua
local function service_index(name)
  local index = prefix .. 'index:service:' .. name
  delete_other_type(index, 'set')
  return index
end

local function service_names(list)
  local names = {}
  if type(list) == 'table' then
    for _, service in ipairs(list) do
      if type(service) == 'table' and type(service.name) == 'string' then names[service.name] = true end
    end
  end
  return names
end

local function leave_services(id, body, except)
  local decoded, node = pcall(cjson.decode, body)
  for name in pairs(service_names(decoded and type(node) == 'table' and node.services)) do
    if not except[name] then call('SREM', service_index(name), id) end
  end
end
