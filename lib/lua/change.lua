-- Enters one change of a node: its record becomes what stands behind the revision, or goes when that is nil. The old
-- tag leaves the digest, the new one comes in. Where Redis was built with 32 bits, %d writes no revision beyond 2^31: there
-- the registry is born again.
revision = revision + 1
local revision_text = string.format('%d', revision)
if not tonumber(try('ZADD', changes_key, revision_text, id)) then
  -- include types.lua
  delete_other_type(changes_key, 'zset')
  call('ZADD', changes_key, revision_text, id)
end
if old_tag then digest = digest - tonumber('0x' .. old_tag) end
if record then
  digest = digest + tonumber('0x' .. tag)
  count = count + call('HSET', records_key, id, revision_text .. ' ' .. record)
else
  count = count - call('HDEL', records_key, id)
end
digest = digest % TAG_MODULUS
local digest_text = string.format('%06x%06x', digest / 16777216, digest % 16777216) -- %x cuts what is behind the point
call('HSET', registry_key, 'revision', revision_text, 'digest', digest_text, 'count', string.format('%d', count))
