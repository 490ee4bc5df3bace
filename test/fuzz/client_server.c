/* SPDX-License-Identifier: MIT */
/* The server of a fuzzed client: it answers as a registry does, but where the input disturbs it; and it watches that
 * the client says nothing that it must not say. */
#include "client.h"
#include <inttypes.h>
#include <script_sources.h>

#define PREFIX "netron:discovery:"
#define DISTURBANCES_MAX 16
#define OWNERS_MAX USER_IDS

static struct {
    struct disturbance disturbances[DISTURBANCES_MAX];
    size_t disturbance_count;
    int events_conn; /* -1: none has subscribed */
    int commands_conn;
    char owners[OWNERS_MAX][64]; /* incarnations, by the number in the id; "" = nobody */
    int halved_conn;
    size_t halved_from;
    char halved[ANSWER_SIZE];
    size_t halved_length;
    long long wait, held, unjudged;
    bool has_forged;
} server;

static struct answer answer;

/* ---- what the client may say ---- */

static bool is_any_of(const char *text, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, texts[i]) == 0)
            return true;
    return false;
}

/* Nothing that deletes, but for the user who leaves. */
static void watch(const struct peer_command *command)
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

static enum server_question question_of(const struct peer_command *command)
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
               ? server.owners[id[3] - '0']
               : nobody;
}

static void answer_register(const struct peer_command *command)
{
    const char *id = peer_word(command, 4);
    char *owner = owner_of(id);
    bool is_same = strcmp(owner, peer_word(command, 5)) == 0;
    if (!is_same && owner[0] != '\0' && strcmp(peer_word(command, 7), "renew") == 0) {
        answer_say(&answer, "*2\r\n$6\r\nfenced\r\n:1000\r\n");
        return;
    }
    snprintf(owner, sizeof(server.owners[0]), "%s", peer_word(command, 5));
    if (!is_same)
        registry_put(id, 100 + (unsigned)(registry.revision % 100));
    answer_say(&answer, "*2\r\n$%d\r\n%s\r\n:%" PRIu64 "\r\n", is_same ? 7 : 10, is_same ? "updated" : "registered",
               registry.revision);
}

static void answer_deregister(const struct peer_command *command)
{
    char *owner = owner_of(peer_word(command, 4));
    if (strcmp(owner, peer_word(command, 5)) != 0) {
        answer_say(&answer, "*2\r\n%s\r\n:0\r\n", owner[0] == '\0' ? "$4\r\ngone" : "$6\r\nfenced");
        return;
    }
    owner[0] = '\0';
    registry_remove(peer_word(command, 4));
    answer_say(&answer, "*2\r\n$12\r\nderegistered\r\n:%" PRIu64 "\r\n", registry.revision);
}

static void answer_reconcile(struct peer *peer)
{
    answer_say(&answer, "*9\r\n:%lld\r\n:0\r\n:0\r\n:%lld\r\n:0\r\n:%lld\r\n$13\r\n%013" PRIu64 "\r\n", server.wait,
               server.held, server.unjudged, peer->loop->now);
    answer_say_text(&answer, registry.epoch);
    answer_say(&answer, ":%" PRIu64 "\r\n", registry.revision);
}

/* An epoch or a cursor may be a text that no registry has given. */
static bool has_blank(const struct peer_command *command)
{
    for (size_t i = 0; i < peer_word_count(command); i++)
        if (strchr(peer_word(command, i), ' ') != NULL)
            return true;
    return false;
}

static void answer_well(struct peer *peer, const struct peer_command *command)
{
    enum server_question question = question_of(command);
    const char *owner = owner_of(peer_behind(peer_word(command, 1), PREFIX "heartbeat:"));
    answer_clear(&answer);
    if (question == QUESTION_REGISTER) {
        answer_register(command);
    } else if (question == QUESTION_DEREGISTER) {
        answer_deregister(command);
    } else if (question == QUESTION_RECONCILE) {
        answer_reconcile(peer);
    } else if (question == QUESTION_BEAT) {
        if (owner[0] == '\0')
            answer_say(&answer, "$-1\r\n");
        else
            answer_say_text(&answer, owner);
    } else if (question == QUESTION_SYNC && has_blank(command)) {
        answer_say(&answer, "*4\r\n$4\r\nfull\r\n$2\r\ne1\r\n:%" PRIu64 "\r\n$12\r\n000000000000\r\n",
                   registry.revision);
    } else if (question == QUESTION_PING && command->conn == server.events_conn) {
        answer_say(&answer, "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    } else {
        answer_say(&answer, "%s", registry_answer(peer, command));
    }
}

/* ---- disturbed ---- */

void server_disturb(const struct disturbance *disturbance)
{
    if (server.disturbance_count < DISTURBANCES_MAX)
        server.disturbances[server.disturbance_count++] = *disturbance;
}

/* The one that is for this command; it is used up by that. */
static bool take_disturbance(enum server_question question, struct disturbance *out)
{
    for (size_t i = 0; i < server.disturbance_count; i++) {
        struct disturbance *each = &server.disturbances[i];
        if (each->question != QUESTION_ANY && each->question != question)
            continue;
        if (each->skip > 0) {
            each->skip--;
            continue;
        }
        *out = *each;
        if (--each->uses == 0)
            memmove(each, each + 1, (--server.disturbance_count - i) * sizeof(*each));
        return true;
    }
    return false;
}

static void echo(const struct peer_command *command)
{
    answer_clear(&answer);
    answer_say(&answer, "-ERR unknown command '%.64s', with args beginning with: ", peer_word(command, 0));
    for (size_t i = 1; i < peer_word_count(command) && i < 8; i++)
        answer_say(&answer, "'%.64s' ", peer_word(command, i));
    answer_say(&answer, "\r\n");
    for (size_t i = 0; i + 2 < answer.length; i++)
        if (answer.bytes[i] == '\r' || answer.bytes[i] == '\n')
            answer.bytes[i] = ' ';
}

static void set_answer(const uint8_t *bytes, size_t length)
{
    answer.length = length < sizeof(answer.bytes) ? length : sizeof(answer.bytes);
    memcpy(answer.bytes, bytes, answer.length);
}

static void disturb(const struct peer_command *command, const struct disturbance *disturbance)
{
    struct input bytes = disturbance->bytes;
    size_t length = answer.length;
    server.has_forged = server.has_forged || (disturbance->kind != WITHHELD && disturbance->kind != CUT_OFF);
    switch (disturbance->kind) {
    case WITHHELD:
        answer_clear(&answer);
        break;
    case INSTEAD:
        set_answer(bytes.at, (size_t)(bytes.end - bytes.at));
        break;
    case HOSTILE:
        answer_clear(&answer);
        answer_say(&answer, "%s", hostile_answers[input_byte(&bytes) % hostile_answer_count]);
        break;
    case MUTATED:
        answer.length = mutate(answer.bytes, answer.length, sizeof(answer.bytes), bytes);
        break;
    case DOUBLED:
        if (2 * length < sizeof(answer.bytes))
            memcpy(answer.bytes + length, answer.bytes, length);
        answer.length = 2 * length < sizeof(answer.bytes) ? 2 * length : length;
        break;
    case ECHOED:
        echo(command);
        break;
    case HALVED:
        server_flush();
        answer.length = length > 0 ? input_number(&bytes) % length : 0;
        server.halved_length = length - answer.length;
        memcpy(server.halved, answer.bytes + answer.length, server.halved_length);
        server.halved_conn = command->conn;
        break;
    default:
        break;
    }
}

static const char *server_answer(struct peer *peer, const struct peer_command *command)
{
    struct disturbance disturbance = {.kind = DISTURBANCES};
    enum server_question question = question_of(command);
    peer->command_count = 0; /* nobody asks for them later */
    watch(command);
    if (server.halved_conn == command->conn)
        server_flush();
    if (question == QUESTION_SUBSCRIBE)
        server.events_conn = command->conn;
    else if (question != QUESTION_PING && question != QUESTION_GREETING)
        server.commands_conn = command->conn;
    answer_well(peer, command);
    if (take_disturbance(question, &disturbance))
        disturb(command, &disturbance);
    peer_send(peer, command->conn, answer.bytes, answer.length);
    if (disturbance.kind == CUT_OFF)
        peer_hang_up(peer, command->conn);
    return "";
}

void server_calm(void)
{
    server.disturbance_count = 0;
    server.wait = 5000;
    server.held = server.unjudged = 0;
    registry.unadopted = 0;
    registry.lies = 0;
    sim.loop.fail_io_new = sim.loop.fail_io_update = 0;
    if (sim.peer.listener == -1)
        peer_listen(&sim.peer);
    server_flush();
}

void server_begin(void)
{
    server.disturbance_count = 0;
    server.events_conn = server.commands_conn = server.halved_conn = -1;
    server.halved_length = 0;
    memset(server.owners, 0, sizeof(server.owners));
    server.has_forged = false;
    registry_open();
    server_calm();
    sim.peer.answer = server_answer;
}

bool server_has_forged(void)
{
    return server.has_forged;
}

/* ---- unasked ---- */

static bool is_open(int conn)
{
    return conn >= 0 && conn < sim.peer.conn_count && sim.peer.conns[conn] != -1;
}

void server_flush(void)
{
    if (is_open(server.halved_conn))
        peer_send(&sim.peer, server.halved_conn, server.halved, server.halved_length);
    server.halved_conn = -1;
    server.halved_length = 0;
}

void server_send(bool to_events, struct input bytes)
{
    int conn = to_events ? server.events_conn : server.commands_conn;
    server.has_forged = true;
    if (is_open(conn))
        peer_send(&sim.peer, conn, (const char *)bytes.at, (size_t)(bytes.end - bytes.at));
}

/* Its events say what its record does not. */
static bool is_garbage(const char *id)
{
    for (size_t i = 0; i < registry.count; i++)
        if (strcmp(registry.nodes[i].id, id) == 0)
            return registry.nodes[i].is_garbage;
    return false;
}

/* The event of an id's latest change, as it is or edited; without an id the bytes are the message. */
void server_send_event(struct input bytes, bool is_mutated, const char *id)
{
    char payload[4096];
    size_t length = (size_t)(bytes.end - bytes.at);
    if (id != NULL) {
        const char *event = registry_event(id);
        length = strlen(event);
        memcpy(payload, event, length);
    } else {
        length = length < sizeof(payload) ? length : sizeof(payload);
        memcpy(payload, bytes.at, length);
    }
    if (is_mutated)
        length = mutate(payload, length, sizeof(payload), bytes);
    server.has_forged = server.has_forged || is_mutated || id == NULL || is_garbage(id);
    if (!is_open(server.events_conn))
        return;
    answer_clear(&answer);
    answer_say(&answer, "*3\r\n$7\r\nmessage\r\n$23\r\nnetron:discovery:events\r\n$%zu\r\n", length);
    peer_send(&sim.peer, server.events_conn, answer.bytes, answer.length);
    peer_send(&sim.peer, server.events_conn, payload, length);
    peer_send(&sim.peer, server.events_conn, "\r\n", 2);
}

void server_hang_up(unsigned which)
{
    if (which % 4 == 0)
        peer_hang_up_all(&sim.peer);
    else if (which % 4 == 1 && is_open(server.commands_conn))
        peer_hang_up(&sim.peer, server.commands_conn);
    else if (which % 4 == 2 && is_open(server.events_conn))
        peer_hang_up(&sim.peer, server.events_conn);
    else if (which % 4 == 3 && sim.peer.listener != -1)
        peer_stop_listening(&sim.peer);
    else if (which % 4 == 3)
        peer_listen(&sim.peer);
}

void server_take_over(unsigned which)
{
    char *owner = server.owners[which % OWNERS_MAX];
    snprintf(owner, sizeof(server.owners[0]), "%s", which & 0x80 ? "another" : "");
}

void server_set_reconciled(long long wait, long long held, long long unjudged)
{
    server.wait = wait;
    server.held = held;
    server.unjudged = unjudged;
}

void server_set_unadopted(unsigned count)
{
    registry.unadopted = count;
}
