-- What stands under our names and is of another type is nobody's, and goes.
local function delete_other_type(key, wanted)
  local found = call('TYPE', key).ok
  if found ~= wanted and found ~= 'none' then call('DEL', key) end
end
