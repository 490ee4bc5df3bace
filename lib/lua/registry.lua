-- What all scripts of the registry share: its keys.
--
-- Redis runs a script from its first line at each call. By instructions a bare command is 6,000; a function whose place
-- is passed 700, used or not, and 100 for each local that it takes from outside; a number that becomes text 2,000 to
-- 5,000, any other short text 1,000. So register, which stands between a change and all who wait for it, is one piece from
-- top to bottom, of files that work on the locals of the place that includes them; what is seldom needed stands where it
-- is needed; and what is text stays text. The others share its pieces.
--
-- KEYS[1] is P:registry, for routing; every other key is derived from P (protocol section 1). Behind it stand, in a
-- cluster alone, the four others that every registry has: while their slot is moved key by key, Redis then refuses the
-- call unless all of them are still here. What else is missing here is no failure to be mended but one to be passed on:
-- Redis refuses each access to it, and so no script takes what has moved already for what is gone.
local call, try = redis.call, redis.pcall
local registry_key = KEYS[1]
local prefix = string.sub(registry_key, 1, -9) -- with its last colon
local records_key = prefix .. 'records'
local changes_key = prefix .. 'changes'
local expiry_key = prefix .. 'expiry'
local nodes_index_key = prefix .. 'index:nodes'

local PAGE = 512                    -- no call handles more
local TAG_MODULUS = 281474976710656 -- 2^48
local LEAST_LIFETIME = 3600000      -- ms, of bookkeeping and service indexes; or ten times a node's heartbeat ttl
