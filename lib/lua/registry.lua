-- What all scripts of the registry share: its keys, its clock, and how its lines are read.
--
-- The build puts what a script includes before it. What only one script needs stands there: each function costs Redis about
-- a thousand instructions whenever the script is called, used or not.
--
-- KEYS[1] is P:registry, for routing; every other key is derived from P (protocol section 1).
local registry_key = KEYS[1]
local prefix = string.sub(registry_key, 1, -10)
local records_key = prefix .. ':records'
local changes_key = prefix .. ':changes'
local expiry_key = prefix .. ':expiry'
local nodes_index_key = prefix .. ':index:nodes'
local service_index = prefix .. ':index:service:'
local heartbeats = prefix .. ':heartbeat:'
local nodes = prefix .. ':nodes:'

local TAG_MODULUS = 281474976710656 -- 2^48
local PAGE = 512                    -- no call handles more

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function whole(number)
  return string.format('%.0f', number)
end

local function digits(tag)
  return string.format('%06x%06x', math.floor(tag / 16777216), tag % 16777216)
end

-- Runs a command on the key that is its first argument. A value of the wrong type under one of our names is nobody's, and
-- goes. The command's own failure tells: asking for the type before each would cost as much as the commands themselves.
local function own(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then return reply end
  if string.find(reply.err, 'WRONGTYPE', 1, true) then redis.call('DEL', (select(2, ...))) end
  return redis.call(...)
end

-- A record's line in parts, or nil when it is none, and whether there is a line. Without a tag it does not count in the
-- digest either.
local function read_record(id)
  local line = own('HGET', records_key, id)
  if not line then return nil, false end
  local revision, tag, incarnation, content, timestamp, body =
    string.match(line, '^(%d+) (%x+) (%S+) (%x+) (%d+) ({.*})$')
  if not tag or #tag ~= 12 then return nil, true end
  return {revision = revision, tag = tag, incarnation = incarnation, content = content, timestamp = timestamp,
    body = body}, true
end

-- The registry's numbers, or nil when it is not born or no longer whole. One whose records are not as many as it counted
-- lost some to eviction or to somebody's DEL, and with them what their tags add to the digest: its numbers no longer hold.
local function read_registry()
  local values = own('HMGET', registry_key, 'epoch', 'revision', 'digest', 'count', 'floor')
  local epoch, revision, digest, count, floor = unpack(values)
  if not (epoch and revision and digest and count and floor) then return nil end
  epoch, revision, digest, count, floor = string.match(
    epoch .. ' ' .. revision .. ' ' .. digest .. ' ' .. count .. ' ' .. floor, '^(%w+) (%d+) (%x+) (%d+) (%d+)$')
  if not epoch or #epoch > 64 or #revision > 15 or #digest ~= 12 or #floor > 15 then return nil end
  if own('HLEN', records_key) ~= tonumber(count) then return nil end
  return {epoch = epoch, revision = tonumber(revision), digest = tonumber(digest, 16), count = tonumber(count),
    floor = tonumber(floor)}
end
