-- The server's time, in ms.
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local now_text = clock[1] .. string.sub('00000' .. clock[2], -6, -4)
