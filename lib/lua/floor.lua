-- The revision from which on all changes are known; without it the registry is not whole.
local floor = epoch and call('HGET', registry_key, 'floor')
floor = floor and #floor <= 15 and string.find(floor, '^%d+$') and tonumber(floor)
if not floor then epoch = nil end
