/* SPDX-License-Identifier: MIT */
#include "topology_server.h"
#include "client_user.h"
#include "slot.h"
#include <hiredis/hiredis.h>

#define SERVERS 2u
#define SENTINELS 3u
#define PEERS (SERVERS + SENTINELS)
#define ROOM_OF_A_STEP 64 /* a step cannot make so many connections to one peer */
#define WORDS_MAX 1040u
#define TAG "{x}"
#define NAME "main"
#define GUARD_SECRET "guard-" SECRET /* of the sentinels; whoever looks for the other finds it too */

static struct peer peers[PEERS]; /* the servers, and the sentinels */

static struct {
    bool is_cluster;
    bool knows_shards; /* SSUBSCRIBE, as from Redis 7 on */
    unsigned primary;
    bool is_silent[PEERS];
    bool is_subscribed[PEERS][PEER_CONNS_MAX];
    int asking[PEERS]; /* the connection that has just said ASKING */
} topology;

static struct answer answer;

/* ---- what is asked ---- */

/* The same without what a cluster adds, which is a tag before each key, and further keys: for the registry. */
static void hear_plainly(const struct peer_command *command, struct peer_command *out)
{
    static redisReply words[WORDS_MAX];
    static redisReply *elements[WORDS_MAX];
    static redisReply all = {.type = REDIS_REPLY_ARRAY, .element = elements};
    static char one[] = "1";
    const redisReply *heard = command->words;
    bool has_keys = strcmp(peer_word(command, 0), "EVALSHA") == 0 && strcmp(peer_word(command, 2), "5") == 0;
    size_t length = 0;
    FUZZ_EXPECT(heard->elements <= WORDS_MAX, "a command of %zu words", heard->elements);
    *out = *command;
    out->words = &all;
    all.elements = 0;
    for (size_t i = 0; i < heard->elements; i++) {
        if (has_keys && i > 3 && i < 8)
            continue;
        redisReply *word = &words[all.elements];
        *word = *heard->element[i];
        if (has_keys && i == 2)
            word->str = one;
        else if (strncmp(word->str, TAG, sizeof(TAG) - 1) == 0)
            word->str += sizeof(TAG) - 1;
        elements[all.elements++] = word;
        int written =
            snprintf(out->text + length, sizeof(out->text) - length, "%s%s", length > 0 ? " " : "", word->str);
        length = length + (size_t)written < sizeof(out->text) ? length + (size_t)written : sizeof(out->text) - 1;
    }
}

static enum server_question question_of(const struct peer_command *command, const struct peer_command *plain)
{
    static const struct {
        const char *beginning;
        enum server_question question;
        size_t words;
    } questions[] = {
        {"SENTINEL GET-MASTER-ADDR-BY-NAME " NAME, QUESTION_ADDRESS, 3},
        {"SUBSCRIBE +switch-master", QUESTION_WATCH, 2},
        {"CLUSTER SLOTS", QUESTION_SLOTS, 2},
        {"SSUBSCRIBE " TAG, QUESTION_SUBSCRIBE, 2},
        {"ROLE", QUESTION_ROLE, 1},
        {"ASKING", QUESTION_ASKING, 1},
    };
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
        if (peer_is(command, questions[i].beginning) && peer_word_count(command) == questions[i].words)
            return questions[i].question;
    redis_watch(plain);
    return redis_question(plain);
}

/* ---- answering well ---- */

struct place {
    const char *host;
    unsigned port;
};

/* Another place than that of the server, and what is none at all. */
static struct place find_place(uint8_t form, unsigned server)
{
    const struct place places[] = {
        {"127.0.0.1", peers[1 - server].port},
        {"127.0.0.1", peers[server].port},
        {"127.0.0.1", 1},
        {"127.0.0.1", peers[SERVERS].port},
        {"?", peers[1 - server].port},
        {"", peers[1 - server].port},
        {"redis.example", 6379},
        {"::1", 65536},
    };
    return places[form % (sizeof(places) / sizeof(places[0]))];
}

static struct place primary_place(void)
{
    return find_place(1, topology.primary);
}

static void say_address(struct place place)
{
    char port[16];
    snprintf(port, sizeof(port), "%u", place.port);
    answer_say(&answer, "*2\r\n");
    answer_say_text(&answer, place.host);
    answer_say_text(&answer, port);
}

static void say_node(struct place place)
{
    answer_say(&answer, "*3\r\n");
    answer_say_text(&answer, place.host);
    answer_say(&answer, ":%u\r\n$1\r\nx\r\n", place.port);
}

static void say_slots(struct place primary, struct place replica)
{
    answer_say(&answer, "*1\r\n*4\r\n:0\r\n:16383\r\n");
    say_node(primary);
    say_node(replica);
}

static void say_redirection(const char *word, unsigned slot, struct place place)
{
    answer_say(&answer, "-%s %u %s:%u\r\n", word, slot, place.host, place.port);
}

static void say_role(bool is_primary)
{
    if (is_primary)
        answer_say(&answer, "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n");
    else
        answer_say(&answer, "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:%u\r\n$9\r\nconnected\r\n:14\r\n",
                   primary_place().port);
}

static void say_subscribed(unsigned number, const struct peer_command *command)
{
    topology.is_subscribed[number][command->conn] = true;
    answer_say(&answer, "*3\r\n");
    answer_say_text(&answer, command->text[1] == 'S' ? "ssubscribe" : "subscribe");
    answer_say_text(&answer, peer_word(command, 1));
    answer_say(&answer, ":1\r\n");
}

static void say_unknown(const struct peer_command *command)
{
    answer_say(&answer, "-ERR unknown command '%.64s', with args beginning with: \r\n", peer_word(command, 0));
}

static void say_as_sentinel(unsigned number, struct peer *peer, const struct peer_command *command,
                            enum server_question question)
{
    if (peer_is(command, "HELLO"))
        answer_say(&answer, "*4\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n");
    else if (question == QUESTION_GREETING)
        answer_say(&answer, "%s", peer_answer_well(peer, command));
    else if (question == QUESTION_PING)
        answer_say(&answer,
                   topology.is_subscribed[number][command->conn] ? "*2\r\n$4\r\npong\r\n$0\r\n\r\n" : "+PONG\r\n");
    else if (topology.is_cluster)
        answer_say(&answer, "-ERR This instance has cluster support disabled\r\n");
    else if (question == QUESTION_ADDRESS)
        say_address(primary_place());
    else if (question == QUESTION_WATCH)
        say_subscribed(number, command);
    else if (question == QUESTION_ROLE)
        answer_say(&answer, "*2\r\n$8\r\nsentinel\r\n*0\r\n");
    else
        say_unknown(command);
}

/* Whether the server has the slot, or may answer as if it had. */
static bool is_served(unsigned number, const struct peer_command *command)
{
    bool is_asking = topology.asking[number] == command->conn;
    topology.asking[number] = -1;
    return number == topology.primary || is_asking;
}

static bool is_write(enum server_question question)
{
    return question == QUESTION_REGISTER || question == QUESTION_DEREGISTER || question == QUESTION_RECONCILE ||
           question == QUESTION_BEAT;
}

static bool is_keyed(const struct peer_command *command, enum server_question question)
{
    return question != QUESTION_GREETING && question != QUESTION_PING && !peer_is(command, "SCRIPT ") &&
           !peer_is(command, "SUBSCRIBE ");
}

static void say_as_server(unsigned number, struct peer *peer, const struct peer_command *command,
                          const struct peer_command *plain, enum server_question question)
{
    bool knows = !peer_is(command, "SSUBSCRIBE ") || topology.knows_shards;
    if (question == QUESTION_ROLE) {
        say_role(number == topology.primary);
    } else if (question == QUESTION_ASKING) {
        topology.asking[number] = command->conn;
        answer_say(&answer, "+OK\r\n");
    } else if (question == QUESTION_SLOTS && topology.is_cluster) {
        say_slots(primary_place(), find_place(0, topology.primary));
    } else if (question == QUESTION_ADDRESS || question == QUESTION_SLOTS || !knows) {
        say_unknown(command);
    } else if (topology.is_cluster && is_keyed(command, question) && !is_served(number, command)) {
        say_redirection("MOVED", netron_slot_of(TAG), primary_place());
    } else if (!topology.is_cluster && number != topology.primary && is_write(question)) {
        answer_say(&answer, "-READONLY You can't write against a read only replica.\r\n");
    } else if (question == QUESTION_SUBSCRIBE || question == QUESTION_WATCH) {
        say_subscribed(number, command);
    } else {
        redis_answer(peer, plain, topology.is_subscribed[number][command->conn], &answer);
    }
}

/* ---- disturbed ---- */

/* In place of the right answer another server, in the form in which this answer names one. */
static void say_elsewhere(unsigned number, enum server_question question, struct input bytes)
{
    uint8_t form = input_byte(&bytes);
    struct place place = find_place(form, number < SERVERS ? number : topology.primary);
    answer_clear(&answer);
    if (question == QUESTION_ADDRESS)
        say_address(place);
    else if (question == QUESTION_SLOTS)
        say_slots(place, find_place(form >> 3, topology.primary));
    else if (question == QUESTION_ROLE)
        say_role((form & 1) != 0);
    else
        say_redirection(form & 0x80 ? "ASK" : "MOVED", netron_slot_of(TAG) + (form & 0x40 ? 1u : 0), place);
}

/* The password of the sentinels is none of Redis' business: only the URL says who is a sentinel. */
static void watch_password(unsigned number, const struct peer_command *command)
{
    bool is_guard = strcmp(peer_word(command, peer_word_count(command) - 1), GUARD_SECRET) == 0;
    FUZZ_EXPECT(!is_guard || number >= SERVERS, "the password of the sentinels is told to a server");
}

static const char *topology_answer(struct peer *peer, const struct peer_command *command)
{
    struct disturbance disturbance = {.kind = DISTURBANCES};
    struct peer_command plain;
    unsigned number = (unsigned)(peer - peers);
    hear_plainly(command, &plain);
    enum server_question question = question_of(command, &plain);
    peer->command_count = 0; /* nobody asks for them later */
    watch_password(number, command);
    if (topology.is_silent[number])
        return "";
    disturbance_flush_before(peer, command->conn);
    answer_clear(&answer);
    if (number < SERVERS)
        say_as_server(number, peer, command, &plain, question);
    else
        say_as_sentinel(number, peer, command, question);
    if (disturbance_take(question, &disturbance)) {
        if (disturbance.kind == ELSEWHERE)
            say_elsewhere(number, question, disturbance.bytes);
        else
            disturbance_apply(&disturbance, peer, command, &answer);
    }
    peer_send(peer, command->conn, answer.bytes, answer.length);
    if (disturbance.kind == CUT_OFF)
        peer_hang_up(peer, command->conn);
    return "";
}

/* ---- beginning and end ---- */

static void close_peers(void)
{
    for (unsigned i = 0; i < PEERS; i++)
        peer_close(&peers[i]);
    sim.peer.next = NULL;
    peer_close(&sim.peer);
}

/* One set of listeners serves all executions. */
void topology_open(bool is_cluster)
{
    if (peers[0].port == 0) {
        peer_open(&sim.peer, &sim.loop);
        for (unsigned i = 0; i < PEERS; i++)
            peer_open_beside(&peers[i], &sim.peer);
        atexit(close_peers);
    }
    topology.is_cluster = is_cluster;
    server_begin();
}

/* A server of no cluster that one of the nodes has named, and that greets well, is believed for as long as it is there:
 * so those go. */
void server_calm(void)
{
    disturbances_clear();
    redis_calm();
    for (unsigned i = 0; i < PEERS; i++) {
        bool is_outside = topology.is_cluster && i >= SERVERS;
        topology.is_silent[i] = false;
        if (is_outside)
            peer_hang_up_all(&peers[i]);
        if (is_outside && peers[i].listener != -1)
            peer_stop_listening(&peers[i]);
        else if (!is_outside && peers[i].listener == -1)
            peer_listen(&peers[i]);
    }
    disturbance_flush();
}

/* The first one of the peers is what makes all of them work. */
void server_begin(void)
{
    disturbances_begin();
    redis_begin();
    for (unsigned i = 0; i < PEERS; i++) {
        peer_renew(&peers[i]);
        peers[i].answer = topology_answer;
        topology.asking[i] = -1;
        topology.is_silent[i] = false;
    }
    peer_renew(&sim.peer);
    topology.primary = 0;
    memset(topology.is_subscribed, 0, sizeof(topology.is_subscribed));
    sim.loop.refuse_to_resolve = true;
}

static void set_cluster(uint8_t flags, char url[URL_SIZE])
{
    topology.knows_shards = (flags & 2) == 0;
    snprintf(url, URL_SIZE, "redis+cluster://%s127.0.0.1:%u,127.0.0.1:%u", flags & 1 ? "u:" SECRET "@" : "",
             peers[flags & 32 ? SERVERS : 0].port, peers[1].port);
    sim.options.key_prefix = TAG "netron:discovery";
    sim.options.pubsub_channel = TAG "netron:discovery:events";
}

static void set_sentinels(uint8_t flags, char url[URL_SIZE])
{
    snprintf(url, URL_SIZE, "redis+sentinel://%s127.0.0.1:%u,127.0.0.1:%u,127.0.0.1:%u/" NAME "%s",
             flags & 1 ? "u:" SECRET "@" : "", peers[SERVERS].port, peers[SERVERS + 1].port, peers[SERVERS + 2].port,
             flags & 2 ? "/3" : "");
    sim.options.sentinel_password = flags & 32 ? GUARD_SECRET : NULL;
    sim.options.sentinel_username = (flags & 33) == 33 ? "watcher" : NULL;
}

void server_set_place(uint8_t flags, char url[URL_SIZE])
{
    if (topology.is_cluster)
        set_cluster(flags, url);
    else
        set_sentinels(flags, url);
    sim.options.connect_timeout_ms = flags & 64 ? 400 : 0;
    sim.options.reconnect_max_ms = flags & 128 ? 1000 : 0;
}

bool topology_has_room(void)
{
    for (unsigned i = 0; i < PEERS; i++)
        if (peers[i].conn_count > PEER_CONNS_MAX - ROOM_OF_A_STEP)
            return false;
    return true;
}

/* ---- unasked ---- */

void topology_send(uint8_t to, struct input bytes)
{
    struct peer *peer = &peers[to % PEERS];
    int conn = peer->conn_count - 1 - to / (int)PEERS % 4;
    disturbance_forge();
    if (conn_is_open(peer, conn))
        peer_send(peer, conn, (const char *)bytes.at, (size_t)(bytes.end - bytes.at));
}

void topology_announce(uint8_t how, struct input bytes)
{
    char payload[512];
    unsigned number = SERVERS + how % SENTINELS;
    struct place place = find_place(how >> 2, topology.primary);
    size_t length = (size_t)snprintf(payload, sizeof(payload), "%s 127.0.0.1 1 %s %u", how & 0x80 ? NAME "tain" : NAME,
                                     place.host, place.port);
    length = mutate(payload, length, sizeof(payload), bytes);
    answer_clear(&answer);
    answer_say(&answer, "*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$%zu\r\n", length);
    for (int conn = 0; conn < peers[number].conn_count; conn++) {
        if (!conn_is_open(&peers[number], conn) || !topology.is_subscribed[number][conn])
            continue;
        peer_send(&peers[number], conn, answer.bytes, answer.length);
        peer_send(&peers[number], conn, payload, length);
        peer_send(&peers[number], conn, "\r\n", 2);
    }
}

void topology_switch(uint8_t how)
{
    struct input unchanged = {NULL, NULL};
    unsigned before = topology.primary;
    topology.primary = how % SERVERS;
    if (how & 2)
        for (uint8_t i = 0; i < SENTINELS; i++)
            topology_announce((uint8_t)(1u << 2) + i, unchanged);
    if ((how & 4) && before != topology.primary)
        peer_hang_up_all(&peers[before]);
}

void topology_go_away(uint8_t how)
{
    unsigned number = how % PEERS;
    struct peer *peer = &peers[number];
    int conn = peer->conn_count - 1;
    unsigned what = how / PEERS % 6;
    if (what == 0 && conn_is_open(peer, conn))
        peer_hang_up(peer, conn);
    else if (what == 1)
        peer_hang_up_all(peer);
    else if (what == 2 && peer->listener == -1)
        peer_listen(peer);
    else if ((what == 2 || what == 3) && peer->listener != -1)
        peer_stop_listening(peer);
    else if (what == 4)
        topology.is_silent[number] = !topology.is_silent[number];
    if (what == 3)
        peer_hang_up_all(peer);
    for (unsigned i = 0; what == 5 && i < PEERS; i++)
        peer_hang_up_all(&peers[i]);
}
