-- sync: what changed in the registry since a revision (protocol section 4).
-- include registry.lua
--
-- ARGV     1 epoch  2 revision, both as the replica has them  3 how many changes at the most (1 to 512)
-- replies  {delta, epoch, revision, digest, 1 when more follows, id, revision, record or '' when it is gone, id, ...}
--          {full, epoch, revision, digest}: everything has to be read anew; epoch '' when there is no registry
local epoch, revision, count = ARGV[1], tonumber(ARGV[2]), math.min(tonumber(ARGV[3]), PAGE)

local function is_type(key, wanted)
  return redis.call('TYPE', key).ok == wanted
end

if not is_type(registry_key, 'hash') or not (is_type(records_key, 'hash') or is_type(records_key, 'none')) then
  return {'full', '', 0, digits(0)}
end
local registry = read_registry()
if not registry then return {'full', '', 0, digits(0)} end
local has_changes = is_type(changes_key, 'zset') or registry.revision == revision
if registry.epoch ~= epoch or revision < registry.floor or revision > registry.revision or not has_changes then
  return {'full', registry.epoch, registry.revision, digits(registry.digest)}
end

local reply = {'delta', registry.epoch, registry.revision, digits(registry.digest), 0}
if registry.revision == revision then return reply end
local changes = redis.call('ZRANGEBYSCORE', changes_key, '(' .. whole(revision), '+inf', 'WITHSCORES', 'LIMIT', 0,
  count + 1)
if #changes > 2 * count then reply[5] = 1 end
for i = 1, math.min(#changes, 2 * count), 2 do
  reply[#reply + 1] = changes[i]
  reply[#reply + 1] = tonumber(changes[i + 1])
  reply[#reply + 1] = redis.call('HGET', records_key, changes[i]) or ''
end
return reply
