-- A registry whose records are not as many as it counted lost some to eviction or to somebody's DEL, and with them what
-- their tags add to the digest: its numbers no longer hold.
if epoch and call('HLEN', records_key) ~= count then epoch = nil end
