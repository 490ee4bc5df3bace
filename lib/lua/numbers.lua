-- The registry's numbers. It is not born, or no longer whole, when epoch is nil.
local numbers = try('HMGET', registry_key, 'epoch', 'revision', 'digest', 'count')
if numbers.err and not string.find(numbers.err, 'WRONGTYPE', 1, true) then return call('HMGET', registry_key, 'epoch') end
local epoch, revision, digest, count = numbers[1], numbers[2], numbers[3], numbers[4]
if epoch and #epoch <= 64 and string.find(epoch, '^%w+$') and revision and digest and #digest == 12 and count then
  -- To tonumber(digest, 16) a number has no more bits than Redis was built with, which may be 32.
  revision, digest, count = tonumber(revision), tonumber('0x' .. digest), tonumber(count)
  local are_numbers = revision and revision >= 0 and revision < 1e15 and digest and digest < TAG_MODULUS and
    count and count >= 0 and count < 1e15
  if not are_numbers then epoch = nil end
else
  epoch = nil
end
