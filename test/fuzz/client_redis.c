/* SPDX-License-Identifier: MIT */
/* What a Redis says to a fuzzed client while nobody disturbs it: what a registry does, and who owns the user's nodes.
 * And it watches that the client says nothing that it must not say. */
#include "client.h"
#include <inttypes.h>
#include <script_sources.h>

#define PREFIX "netron:discovery:"
#define OWNERS_MAX USER_IDS

static struct {
    char owners[OWNERS_MAX][64]; /* incarnations, by the number in the id; "" = nobody */
    long long wait, held, unjudged;
} redis;

/* ---- what the client may say ---- */

static bool is_any_of(const char *text, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, texts[i]) == 0)
            return true;
    return false;
}

/* Nothing that deletes, but for the user who leaves. */
void redis_watch(const struct peer_command *command)
{
    static const char *const harmless[] = {"HELLO", "AUTH",   "SELECT",  "CLIENT", "PING",  "SUBSCRIBE",
                                           "GETEX", "HMGET",  "MGET",    "HSCAN",  "SSCAN", "SCARD",
                                           "ZCARD", "EXISTS", "EVALSHA", "SCRIPT", "GET"};
    const char *const scripts[] = {netron_script_source_register.sha1, netron_script_source_deregister.sha1,
                                   netron_script_source_sync.sha1, netron_script_source_reconcile.sha1};
    const char *name = peer_word(command, 0);
    FUZZ_EXPECT(is_any_of(name, harmless, sizeof(harmless) / sizeof(harmless[0])), "the client says %s", command->text);
    FUZZ_EXPECT(strcmp(name, "SCRIPT") != 0 || strcmp(peer_word(command, 1), "LOAD") == 0, "%s", command->text);
    FUZZ_EXPECT(strcmp(name, "CLIENT") != 0 || strcmp(peer_word(command, 1), "SETNAME") == 0, "%s", command->text);
    FUZZ_EXPECT(strcmp(name, "EVALSHA") != 0 || is_any_of(peer_word(command, 1), scripts, 4), "%s", command->text);
    FUZZ_EXPECT(peer_word_count(command) <= 1024, "a command of %zu words", peer_word_count(command));
    if (peer_is_deregister(command))
        FUZZ_EXPECT(user_may_leave(peer_word(command, 4)), "nobody asked for it: %s", command->text);
}

enum server_question redis_question(const struct peer_command *command)
{
    static const struct {
        const char *beginning;
        enum server_question question;
    } questions[] = {
        {"HMGET " PREFIX "registry ", QUESTION_NUMBERS},
        {"HSCAN ", QUESTION_PAGE},
        {"GETEX ", QUESTION_BEAT},
        {"GET ", QUESTION_BEAT},
        {"SUBSCRIBE ", QUESTION_SUBSCRIBE},
        {"PING", QUESTION_PING},
    };
    if (peer_is_sync(command))
        return QUESTION_SYNC;
    if (peer_is_reconcile(command))
        return QUESTION_RECONCILE;
    if (peer_is_register(command))
        return QUESTION_REGISTER;
    if (peer_is_deregister(command))
        return QUESTION_DEREGISTER;
    if (peer_is_handshake(command))
        return QUESTION_GREETING;
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
        if (peer_is(command, questions[i].beginning))
            return questions[i].question;
    return QUESTION_LOOKUP;
}

/* ---- answering well ---- */

/* The owner of a node of the user's, or of nobody's. */
static char *owner_of(const char *id)
{
    static char nobody[64];
    nobody[0] = '\0';
    return strncmp(id, "own", 3) == 0 && id[3] >= '0' && id[3] < '0' + OWNERS_MAX && id[4] == '\0'
               ? redis.owners[id[3] - '0']
               : nobody;
}

static void answer_register(const struct peer_command *command, struct answer *answer)
{
    const char *id = peer_word(command, 4);
    char *owner = owner_of(id);
    bool is_same = strcmp(owner, peer_word(command, 5)) == 0;
    if (!is_same && owner[0] != '\0' && strcmp(peer_word(command, 7), "renew") == 0) {
        answer_say(answer, "*2\r\n$6\r\nfenced\r\n:1000\r\n");
        return;
    }
    snprintf(owner, sizeof(redis.owners[0]), "%s", peer_word(command, 5));
    if (!is_same)
        registry_put(id, 100 + (unsigned)(registry.revision % 100));
    answer_say(answer, "*2\r\n$%d\r\n%s\r\n:%" PRIu64 "\r\n", is_same ? 7 : 10, is_same ? "updated" : "registered",
               registry.revision);
}

static void answer_deregister(const struct peer_command *command, struct answer *answer)
{
    char *owner = owner_of(peer_word(command, 4));
    if (strcmp(owner, peer_word(command, 5)) != 0) {
        answer_say(answer, "*2\r\n%s\r\n:0\r\n", owner[0] == '\0' ? "$4\r\ngone" : "$6\r\nfenced");
        return;
    }
    owner[0] = '\0';
    registry_remove(peer_word(command, 4));
    answer_say(answer, "*2\r\n$12\r\nderegistered\r\n:%" PRIu64 "\r\n", registry.revision);
}

static void answer_reconcile(const struct peer *peer, struct answer *answer)
{
    answer_say(answer, "*9\r\n:%lld\r\n:0\r\n:0\r\n:%lld\r\n:0\r\n:%lld\r\n$13\r\n%013" PRIu64 "\r\n", redis.wait,
               redis.held, redis.unjudged, peer->loop->now);
    answer_say_text(answer, registry.epoch);
    answer_say(answer, ":%" PRIu64 "\r\n", registry.revision);
}

/* An epoch or a cursor may be a text that no registry has given. */
static bool has_blank(const struct peer_command *command)
{
    for (size_t i = 0; i < peer_word_count(command); i++)
        if (strchr(peer_word(command, i), ' ') != NULL)
            return true;
    return false;
}

void redis_answer(struct peer *peer, const struct peer_command *command, bool is_subscribed, struct answer *answer)
{
    enum server_question question = redis_question(command);
    const char *owner = owner_of(peer_behind(peer_word(command, 1), PREFIX "heartbeat:"));
    answer_clear(answer);
    if (question == QUESTION_REGISTER) {
        answer_register(command, answer);
    } else if (question == QUESTION_DEREGISTER) {
        answer_deregister(command, answer);
    } else if (question == QUESTION_RECONCILE) {
        answer_reconcile(peer, answer);
    } else if (question == QUESTION_BEAT) {
        if (owner[0] == '\0')
            answer_say(answer, "$-1\r\n");
        else
            answer_say_text(answer, owner);
    } else if (question == QUESTION_SYNC && has_blank(command)) {
        answer_say(answer, "*4\r\n$4\r\nfull\r\n$2\r\ne1\r\n:%" PRIu64 "\r\n$12\r\n000000000000\r\n",
                   registry.revision);
    } else if (question == QUESTION_PING && is_subscribed) {
        answer_say(answer, "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    } else {
        answer_say(answer, "%s", registry_answer(peer, command));
    }
}

/* ---- beginning, and what the input changes ---- */

void redis_calm(void)
{
    redis.wait = 5000;
    redis.held = redis.unjudged = 0;
    registry.unadopted = 0;
    registry.lies = 0;
    sim.loop.fail_io_new = sim.loop.fail_io_update = 0;
}

void redis_begin(void)
{
    memset(redis.owners, 0, sizeof(redis.owners));
    registry_open();
    redis_calm();
}

void redis_take_over(unsigned which)
{
    char *owner = redis.owners[which % OWNERS_MAX];
    snprintf(owner, sizeof(redis.owners[0]), "%s", which & 0x80 ? "another" : "");
}

void redis_set_reconciled(long long wait, long long held, long long unjudged)
{
    redis.wait = wait;
    redis.held = held;
    redis.unjudged = unjudged;
}
