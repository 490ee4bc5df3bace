-- PEXPIRE ... GT needs Redis 7; a node with a short ttl must not shorten what a node with a long one set. A lifetime is
-- renewed once a tenth of it is gone: each call would do it otherwise.
local function keep(key, lifetime)
  if call('PTTL', key) < 0.9 * lifetime then call('PEXPIRE', key, lifetime) end
end

-- The changes have no lifetime when they were lost and the one just entered is the first again: the registry cannot say
-- what happened before it.
local function keep_bookkeeping(lifetime)
  if call('PTTL', changes_key) == -1 then
    call('HSET', registry_key, 'floor', string.format('%d', revision - 1))
  end
  keep(changes_key, lifetime)
  keep(registry_key, lifetime)
  keep(records_key, lifetime)
  keep(expiry_key, lifetime)
end
