/* SPDX-License-Identifier: MIT */
/* What stands in Redis, read beside the library; and history, copied and put back. */
#include "model.h"
#include <stdio.h>
#include <string.h>

/* The nodes whose heartbeat exists, a line each; for each service who of them is in its index; and what is inexact. A
 * node that dies stays in the bookkeeping until somebody has looked: so the complaint tells when nobody has. */
static const char reading[] =
    "local p, ids, services, is_exact = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1' "
    "local picture, complaint, sum, count = '', '', 0, 0 "
    "local function complain(...) complaint = complaint .. table.concat({...}, ' ') .. '\\n' end "
    "local wanted = {} "
    "for _, key in ipairs({'registry', 'records', 'changes', 'expiry', 'index:nodes'}) do "
    "  local types = {registry = 'hash', records = 'hash', changes = 'zset', expiry = 'zset', "
    "    ['index:nodes'] = 'set'} "
    "  local found = redis.call('TYPE', p .. key).ok "
    "  if found ~= types[key] and not (key == 'changes' and found == 'none') then return {'', '', key .. ' is of type "
    "' .. found} end "
    "end "
    "for id in string.gmatch(ids, '.') do "
    "  local alive = redis.call('TYPE', p .. 'heartbeat:' .. id).ok == 'string' "
    "  local line = redis.call('HGET', p .. 'records', id) "
    "  local tag, body = string.match(line or '', '^%d+ (%x+) %S+ %d+ ({.*})$') "
    "  if tag then sum = (sum + tonumber('0x' .. tag)) % 281474976710656 end "
    "  if line and not tag then complain(id, 'has a broken record') end "
    "  if alive ~= (line and true or false) then complain(id, alive and 'has no record' or 'is dead') end "
    "  if alive ~= (redis.call('SISMEMBER', p .. 'index:nodes', id) == 1) then complain(id, 'index of nodes') end "
    "  if alive ~= (redis.call('ZSCORE', p .. 'expiry', id) and true or false) then complain(id, 'expiry') end "
    "  local hash = redis.call('TYPE', p .. 'nodes:' .. id).ok == 'hash' and "
    "    redis.call('HMGET', p .. 'nodes:' .. id, 'address', 'services') or {} "
    "  if alive and tag and hash[1] and hash[2] then "
    "    local node = cjson.decode(body) "
    "    local words = {id, hash[1], node.state or 'up'} "
    "    local known = {} "
    "    for _, service in ipairs(cjson.decode(hash[2])) do "
    "      words[#words + 1] = service.name .. (service.version and '@' .. service.version or '') "
    "      wanted[service.name .. id] = true "
    "    end "
    "    for _, service in ipairs(node.services) do "
    "      known[#known + 1] = service.name .. (service.version and '@' .. service.version or '') "
    "    end "
    "    if node.address ~= hash[1] or table.concat(known, ' ') ~= table.concat(words, ' ', 4) then "
    "      complain(id, 'is recorded otherwise') "
    "    end "
    "    picture = picture .. table.concat(words, ' ') .. '\\n' "
    "  elseif alive then "
    "    complain(id, 'has no hash') "
    "  end "
    "  if line then count = count + 1 end "
    "end "
    "local digest = string.format('%06x%06x', math.floor(sum / 16777216), sum % 16777216) "
    "local numbers = redis.call('HMGET', p .. 'registry', 'digest', 'count') "
    "if numbers[1] ~= digest then complain('the digest is', numbers[1] or 'missing', 'not', digest) end "
    "if redis.call('HLEN', p .. 'records') ~= count then complain('foreign records') end "
    "if numbers[2] ~= tostring(count) then complain('the count is', numbers[2] or 'missing') end "
    "local found = '' "
    "for name in string.gmatch(services, '%a+') do "
    "  local key = p .. 'index:service:' .. name "
    "  local type = redis.call('TYPE', key).ok "
    "  local members = type == 'set' and redis.call('SMEMBERS', key) or {} "
    "  if type ~= 'set' and type ~= 'none' then complain(name, 'is of type', type) end "
    "  table.sort(members) "
    "  found = found .. name .. ':' "
    "  for _, id in ipairs(members) do "
    "    if wanted[name .. id] then found = found .. ' ' .. id "
    "    elseif is_exact then complain(name, 'has member', id) end "
    "    wanted[name .. id] = nil "
    "  end "
    "  found = found .. '\\n' "
    "end "
    "for each in pairs(wanted) do complain('not in its index:', each) end "
    "return {picture, found, complaint}";

void model_registry_read(struct model *model, char picture[PICTURE_MAX], char services[PICTURE_MAX],
                         char complaint[PICTURE_MAX])
{
    char *const out[] = {picture, services, complaint};
    char names[128] = "";
    for (int i = 0; i < SERVICES; i++)
        snprintf(names + strlen(names), sizeof(names) - strlen(names), " %s", model_service_names[i]);
    redisReply *reply = server_ask(&model->server, "EVAL %s 0 " MODEL_PREFIX ": " MODEL_IDS " %s %d", reading,
                                   (const char *)names, !model->lost_services);
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3)
        model_fail(model, "the registry cannot be read: %s", reply->str);
    for (size_t i = 0; i < 3; i++)
        snprintf(out[i], PICTURE_MAX, "%s", reply->element[i]->str);
    freeReplyObject(reply);
}

/* ---- history ---- */

/* Into another database, where neither FLUSHDB nor time reaches it. */
void model_registry_copy(struct model *model)
{
    static const char script[] = "local keys = redis.call('KEYS', ARGV[1] .. '*') "
                                 "redis.call('SELECT', 1) redis.call('FLUSHDB') redis.call('SELECT', 0) "
                                 "for _, key in ipairs(keys) do redis.call('COPY', key, key, 'DB', 1) end "
                                 "redis.call('SELECT', 1) "
                                 "for _, key in ipairs(keys) do redis.call('PERSIST', key) end "
                                 "return #keys";
    long long keys = server_integer(&model->server, "EVAL %s 0 " MODEL_PREFIX ":", script);
    model->snapshot_at = model->step;
    model_trace(model, "history is copied: %lld keys", keys);
}

/* At once, as a failover to a replica that lagged behind does it. Replies with the ids whose incarnation was another
 * one then, or none, or had left without anybody having looked. */
static const char putting_back[] =
    "local p = ARGV[1] "
    "local function incarnations() "
    "  local found = {} "
    "  local records = redis.call('TYPE', p .. 'records').ok == 'hash' and redis.call('HGETALL', p .. 'records') or {} "
    "  for i = 1, #records, 2 do found[records[i]] = string.match(records[i + 1], '^%d+ %x+ (%S+)') end "
    "  return found "
    "end "
    "local now = incarnations() "
    "for _, key in ipairs(redis.call('KEYS', p .. '*')) do redis.call('DEL', key) end "
    "redis.call('SELECT', 1) "
    "local keys = redis.call('KEYS', '*') "
    "for _, key in ipairs(keys) do redis.call('COPY', key, key, 'DB', 0) end "
    "redis.call('SELECT', 0) "
    "for _, key in ipairs(keys) do "
    "  local is_beat = string.find(key, ':heartbeat:', 1, true) "
    "  local is_node = string.find(key, ':nodes:', 1, true) "
    "  redis.call('PEXPIRE', key, is_beat and 1000 or is_node and 10000 or 3600000) "
    "end "
    "local before, others = incarnations(), '' "
    "for id in string.gmatch(ARGV[2], '.') do "
    "  local had_left = redis.call('EXISTS', p .. 'heartbeat:' .. id) == 0 "
    "  if not now[id] or now[id] ~= before[id] or had_left then others = others .. id end "
    "end "
    "return others";

void model_registry_put_back(struct model *model)
{
    char others[IDS + 1];
    ck_assert(
        server_text(&model->server, others, sizeof(others), "EVAL %s 0 " MODEL_PREFIX ": " MODEL_IDS, putting_back));
    for (int id = 0; id < IDS; id++) {
        model->may_depart[id] += strchr(others, MODEL_IDS[id]) != NULL ? 2 : 0;
        model->may_change[id] += 2;
    }
    model_trace(model, "history of step %u is put back; others than now: %s", model->snapshot_at, others);
}
