-- The tag, incarnation, timestamp and body in a record's line, or nil when it is none. Without a tag it does not count
-- in the digest either. A line with a fifth field before its body is none: a registry of that layout is born again.
local function split_record(line)
  local tag, incarnation, timestamp, body = string.match(line, '^%d+ (%x+) (%S+) (%d+) ({.*})$')
  if tag and #tag == 12 then return tag, incarnation, timestamp, body end
end
