-- Who has left stays among the changes, as a tombstone; only so many of these are kept.
local TOMBSTONES_KEPT = 4096 -- beyond one entry a node
-- include lifetimes.lua
local function cut_tombstones()
  if call('PTTL', changes_key) == -1 then keep_bookkeeping(LEAST_LIFETIME) end
  local excess = call('ZCARD', changes_key) - count - TOMBSTONES_KEPT
  if excess <= 0 then return end
  local cut = call('ZPOPMIN', changes_key, math.min(excess, PAGE))
  local floor = tonumber(call('HGET', registry_key, 'floor') or nil) or 0
  call('HSET', registry_key, 'floor', string.format('%d', math.max(tonumber(cut[#cut]), floor)))
end
