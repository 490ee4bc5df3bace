-- PUBLISH comes last and may fail: a user whose ACL forbids the channel still registers. A departure's reason stands
-- behind the one of the node's state, if there is one: of equal names the last counts, in every reader of JSON.
-- In a cluster the channel is one of the slot, from Redis 7 on; a server that knows SPUBLISH knows SSUBSCRIBE as well.
if channel ~= '' then
  local members = string.sub(body, 2, -2)
  if string.find(members, '%S') then members = members .. ',' end
  local event = '{"type":"' .. kind .. '",' .. members .. '"timestamp":' .. timestamp .. ',"epoch":"' ..
    epoch .. '","revision":' .. revision_text .. ',"digest":"' .. digest_text .. '","tag":"' .. tag ..
    '","incarnation":"' .. incarnation .. (reason and '","reason":"' .. reason or '') .. '"}'
  if not (KEYS[2] and tonumber(try('SPUBLISH', channel, event))) then try('PUBLISH', channel, event) end
end
