-- A registry is born under a new epoch; the repair beats of its nodes and reconcile bring lost records back.
local function new_epoch(seed)
  call('UNLINK', registry_key, records_key, changes_key, expiry_key)
  local name = string.sub(redis.sha1hex(seed .. ' ' .. clock[1] .. ' ' .. clock[2]), 1, 16)
  call('HSET', registry_key, 'epoch', name, 'revision', 0, 'digest', '000000000000', 'count', 0, 'floor', 0)
  return name
end
