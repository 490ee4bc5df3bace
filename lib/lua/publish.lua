-- PUBLISH comes last and may fail: a user whose ACL forbids the channel still registers. A departure's reason stands
-- behind the one of the node's state, if there is one: of equal names the last counts, in every reader of JSON.
if channel ~= '' then
  local members = string.sub(body, 2, -2)
  if string.find(members, '%S') then members = members .. ',' end
  try('PUBLISH', channel, '{"type":"' .. kind .. '",' .. members .. '"timestamp":' .. timestamp .. ',"epoch":"' ..
    epoch .. '","revision":' .. revision_text .. ',"digest":"' .. digest_text .. '","tag":"' .. tag ..
    '","incarnation":"' .. incarnation .. (reason and '","reason":"' .. reason or '') .. '"}')
end
