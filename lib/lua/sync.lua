-- sync: what changed in the registry since a revision (protocol section 4).
--
-- ARGV     1 epoch  2 revision, both as the replica has them  3 how many changes at the most (1 to 512)
-- replies  {delta, epoch, revision, digest, 1 when more follows, id, revision, record or '' when it is gone, id, ...}
--          {full, epoch, revision, digest}: everything has to be read anew; epoch '' when there is no registry
-- include registry.lua
local known_epoch, known_revision, limit = ARGV[1], tonumber(ARGV[2]), math.min(tonumber(ARGV[3]), PAGE)

local function is_type(key, wanted)
  return call('TYPE', key).ok == wanted
end

if not is_type(registry_key, 'hash') or not (is_type(records_key, 'hash') or is_type(records_key, 'none')) then
  return {'full', '', 0, '000000000000'}
end
-- include numbers.lua
-- include whole.lua
-- include floor.lua
if not epoch then return {'full', '', 0, '000000000000'} end
local digest_text = numbers[3]
local has_changes = is_type(changes_key, 'zset') or revision == known_revision
if epoch ~= known_epoch or known_revision < floor or known_revision > revision or not has_changes then
  return {'full', epoch, revision, digest_text}
end

local reply = {'delta', epoch, revision, digest_text, 0}
if revision == known_revision then return reply end
local changes = call('ZRANGEBYSCORE', changes_key, string.format('(%d', known_revision), '+inf', 'WITHSCORES', 'LIMIT', 0,
  limit + 1)
if #changes > 2 * limit then reply[5] = 1 end
for i = 1, math.min(#changes, 2 * limit), 2 do
  reply[#reply + 1] = changes[i]
  reply[#reply + 1] = tonumber(changes[i + 1])
  reply[#reply + 1] = call('HGET', records_key, changes[i]) or ''
end
return reply
