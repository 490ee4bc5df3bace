/* SPDX-License-Identifier: MIT */
#include "sentinel_set.h"
#include "server.h"
#include "world.h"
#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_LIMIT_MS 20000

static const char *program(void)
{
    const char *named = getenv("NETRON_TEST_SERVER");
    return named != NULL && named[0] != '\0' ? named : "redis-server";
}

static bool is_sentinel(const struct sentinel_set *set, const struct set_member *member)
{
    return member >= set->sentinel && member < set->sentinel + SET_SIZE;
}

static const char *file_of(const struct sentinel_set *set, const struct set_member *member, const char *ending)
{
    static char name[160];
    snprintf(name, sizeof(name), "%s/%u.%s", set->folder, member->port, ending);
    return name;
}

/* ---- the configuration ---- */

static bool has_host_name(const struct sentinel_set *set)
{
    return set->host[0] < '0' || set->host[0] > '9';
}

/* Where it is for the others. */
static unsigned port_of(const struct set_member *member)
{
    return member->tls_port != 0 ? member->tls_port : member->port;
}

static void configure_tls(const struct sentinel_set *set, const struct set_member *member, FILE *file)
{
    const char *folder = set->certificates;
    fprintf(file, "tls-port %u\ntls-replication yes\ntls-auth-clients no\n", member->tls_port);
    fprintf(file, "tls-ca-cert-file %s/ca.crt\ntls-cert-file %s/server.crt\ntls-key-file %s/server.key\n", folder,
            folder, folder);
}

static void configure_redis(const struct sentinel_set *set, const struct set_member *member, FILE *file)
{
    fprintf(file, "save \"\"\nappendonly no\nrepl-diskless-sync-delay 0\nrepl-ping-replica-period 1\n");
    fprintf(file, "replica-announce-ip %s\nreplica-announce-port %u\n", set->host, port_of(member));
    if (set->redis_password != NULL)
        fprintf(file, "requirepass %s\nmasterauth %s\n", set->redis_password, set->redis_password);
    if (member != &set->redis[0])
        fprintf(file, "replicaof %s %u\n", set->host, port_of(&set->redis[0]));
}

static void configure_sentinel(const struct sentinel_set *set, const struct set_member *member, FILE *file)
{
    (void)member;
    if (has_host_name(set))
        fprintf(file, "sentinel resolve-hostnames yes\nsentinel announce-hostnames yes\n");
    fprintf(file, "sentinel monitor " SET_NAME " %s %u 2\n", set->host, port_of(&set->redis[0]));
    fprintf(file, "sentinel down-after-milliseconds " SET_NAME " 1000\n");
    fprintf(file, "sentinel failover-timeout " SET_NAME " 3000\n");
    if (set->redis_password != NULL)
        fprintf(file, "sentinel auth-pass " SET_NAME " %s\n", set->redis_password);
    if (set->sentinel_password != NULL)
        fprintf(file, "requirepass %s\nsentinel sentinel-pass %s\n", set->sentinel_password, set->sentinel_password);
}

static void configure(const struct sentinel_set *set, const struct set_member *member)
{
    FILE *file = fopen(file_of(set, member, "conf"), "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "bind 127.0.0.1\nport %u\ndir %s\n", member->port, set->folder);
    if (set->certificates != NULL)
        configure_tls(set, member, file);
    if (is_sentinel(set, member))
        configure_sentinel(set, member, file);
    else
        configure_redis(set, member, file);
    ck_assert_int_eq(fclose(file), 0);
}

/* ---- the processes ---- */

static void run(const struct sentinel_set *set, const struct set_member *member, pid_t parent)
{
    int output = open(file_of(set, member, "log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    const char *conf = file_of(set, member, "conf");
    if (is_sentinel(set, member))
        execlp(program(), program(), conf, "--sentinel", (char *)NULL);
    else
        execlp(program(), program(), conf, (char *)NULL);
    _exit(127);
}

static void start(const struct sentinel_set *set, struct set_member *member)
{
    pid_t parent = getpid();
    member->pid = fork();
    ck_assert_int_ge(member->pid, 0);
    if (member->pid == 0)
        run(set, member, parent);
}

void set_member_kill(struct set_member *member)
{
    if (member->pid <= 0)
        return;
    kill(member->pid, SIGKILL);
    waitpid(member->pid, NULL, 0);
    member->pid = 0;
}

void set_member_freeze(const struct set_member *member)
{
    ck_assert_int_eq(kill(member->pid, SIGSTOP), 0);
}

void set_member_thaw(const struct set_member *member)
{
    ck_assert_int_eq(kill(member->pid, SIGCONT), 0);
}

/* ---- asking ---- */

static redisReply *ask(const struct sentinel_set *set, const struct set_member *member, const char *format,
                       va_list arguments)
{
    const char *password = is_sentinel(set, member) ? set->sentinel_password : set->redis_password;
    redisReply *reply = NULL;
    redisContext *context = redisConnectWithTimeout("127.0.0.1", (int)member->port, (struct timeval){.tv_sec = 1});
    if (context != NULL && context->err == 0) {
        redisSetTimeout(context, (struct timeval){.tv_sec = 1});
        if (password != NULL)
            freeReplyObject(redisCommand(context, "AUTH %s", password));
        reply = redisvCommand(context, format, arguments);
    }
    redisFree(context);
    return reply;
}

redisReply *sentinel_set_ask(const struct sentinel_set *set, const struct set_member *member, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = ask(set, member, format, arguments);
    va_end(arguments);
    return reply;
}

const char *sentinel_set_text(const struct sentinel_set *set, const struct set_member *member, const char *format, ...)
{
    static char text[32768]; /* as long as a list of many clients */
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = ask(set, member, format, arguments);
    va_end(arguments);
    const redisReply *told =
        reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 ? reply->element[0] : reply;
    text[0] = '\0';
    if (told != NULL && told->type == REDIS_REPLY_INTEGER)
        snprintf(text, sizeof(text), "%lld", told->integer);
    else if (told != NULL && told->str != NULL)
        snprintf(text, sizeof(text), "%s", told->str);
    if (reply != NULL)
        freeReplyObject(reply);
    return text;
}

const char *sentinel_set_role(const struct sentinel_set *set, const struct set_member *member)
{
    return sentinel_set_text(set, member, "ROLE");
}

int sentinel_set_primary_of(const struct sentinel_set *set, int sentinel)
{
    int number = -1;
    redisReply *reply = sentinel_set_ask(set, &set->sentinel[sentinel], "SENTINEL GET-MASTER-ADDR-BY-NAME " SET_NAME);
    if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2)
        for (int i = 0; i < SET_SIZE; i++)
            if (port_of(&set->redis[i]) == (unsigned)atoi(reply->element[1]->str))
                number = i;
    if (reply != NULL)
        freeReplyObject(reply);
    return number;
}

bool sentinel_set_is_primary(const struct sentinel_set *set, int number)
{
    for (int i = 0; i < SET_SIZE; i++)
        if (set->sentinel[i].pid != 0 && sentinel_set_primary_of(set, i) != number)
            return false;
    return strcmp(sentinel_set_role(set, &set->redis[number]), "master") == 0;
}

/* ---- beginning and end ---- */

/* The defaults are for machines that fail once a year: a test wants to see them fail within seconds. The period of the
 * pings stays long: five of them are as old as what is known of a replica may be, which is asked once a second while
 * the primary is down. Redis 6.2 has no such command, and takes longer. */
static void hurry(const struct sentinel_set *set, const struct set_member *member)
{
    static const char command[] =
        "SENTINEL DEBUG info-period 200 ping-period 500 publish-period 200 ask-period 100 election-timeout 500 "
        "min-link-reconnect-period 500 slave-reconf-timeout 500 default-down-after 200";
    const uint64_t limit = world_clock_ms() + START_LIMIT_MS;
    redisReply *reply = NULL;
    while (reply == NULL && world_clock_ms() < limit) /* a machine may be too busy for an answer within a second */
        reply = sentinel_set_ask(set, member, command);
    ck_assert_msg(reply != NULL, "the sentinel of port %u cannot be hurried", member->port);
    freeReplyObject(reply);
}

static void await(const struct sentinel_set *set, const struct set_member *member, const char *expected,
                  const char *command, const char *argument)
{
    uint64_t limit = world_clock_ms() + START_LIMIT_MS;
    while (strstr(sentinel_set_text(set, member, command, argument), expected) == NULL) {
        ck_assert_msg(world_clock_ms() < limit, "%s (port %u): %s is not answered with %s", program(), member->port,
                      command, expected);
        poll(NULL, 0, 10);
    }
}

/* A field of what the sentinel knows of the primary. */
static long field(const struct sentinel_set *set, const struct set_member *sentinel, const char *name)
{
    long value = -1;
    redisReply *reply = sentinel_set_ask(set, sentinel, "SENTINEL MASTER " SET_NAME);
    for (size_t i = 0; reply != NULL && reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements; i += 2)
        if (strcmp(reply->element[i]->str, name) == 0)
            value = atol(reply->element[i + 1]->str);
    if (reply != NULL)
        freeReplyObject(reply);
    return value;
}

static bool knows_all(const struct sentinel_set *set, const struct set_member *sentinel)
{
    return field(set, sentinel, "num-slaves") == SET_SIZE - 1 &&
           field(set, sentinel, "num-other-sentinels") == SET_SIZE - 1 &&
           strstr(sentinel_set_text(set, sentinel, "SENTINEL CKQUORUM " SET_NAME), "OK") != NULL;
}

void sentinel_set_revive(struct sentinel_set *set, struct set_member *member)
{
    start(set, member);
    await(set, member, "PONG", "PING%s", "");
    if (is_sentinel(set, member))
        hurry(set, member);
}

void sentinel_set_start(struct sentinel_set *set)
{
    strcpy(set->folder, "/tmp/netron-set-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(set->folder));
    if (set->host[0] == '\0')
        strcpy(set->host, "127.0.0.1");
    for (int i = 0; i < SET_SIZE; i++) {
        set->redis[i].port = server_free_port();
        set->sentinel[i].port = server_free_port();
        set->redis[i].tls_port = set->certificates != NULL ? server_free_port() : 0;
        set->sentinel[i].tls_port = set->certificates != NULL ? server_free_port() : 0;
    }
    for (int i = 0; i < SET_SIZE; i++) {
        configure(set, &set->redis[i]);
        start(set, &set->redis[i]);
    }
    await(set, &set->redis[0], "connected_slaves:2", "INFO %s", "replication");
    for (int i = 1; i < SET_SIZE; i++)
        await(set, &set->redis[i], "master_link_status:up", "INFO %s", "replication");
    for (int i = 0; i < SET_SIZE; i++) {
        configure(set, &set->sentinel[i]);
        sentinel_set_revive(set, &set->sentinel[i]);
    }
    uint64_t limit = world_clock_ms() + START_LIMIT_MS;
    for (int i = 0; i < SET_SIZE; i++)
        while (!knows_all(set, &set->sentinel[i])) {
            ck_assert_msg(world_clock_ms() < limit, "sentinel %d knows %ld replicas and %ld sentinels, and says: %s", i,
                          field(set, &set->sentinel[i], "num-slaves"),
                          field(set, &set->sentinel[i], "num-other-sentinels"),
                          sentinel_set_text(set, &set->sentinel[i], "SENTINEL CKQUORUM " SET_NAME));
            poll(NULL, 0, 10);
        }
    snprintf(set->url, sizeof(set->url), "%s+sentinel://127.0.0.1:%u,127.0.0.1:%u,127.0.0.1:%u/" SET_NAME,
             set->certificates != NULL ? "rediss" : "redis", port_of(&set->sentinel[0]), port_of(&set->sentinel[1]),
             port_of(&set->sentinel[2]));
}

void sentinel_set_stop(struct sentinel_set *set)
{
    static const char *const endings[] = {"conf", "log"};
    for (int i = 0; i < SET_SIZE; i++) {
        set_member_kill(&set->sentinel[i]);
        set_member_kill(&set->redis[i]);
    }
    for (int i = 0; i < 2 * SET_SIZE; i++)
        for (size_t j = 0; j < 2; j++)
            unlink(file_of(set, i < SET_SIZE ? &set->redis[i] : &set->sentinel[i - SET_SIZE], endings[j]));
    char dump[96];
    snprintf(dump, sizeof(dump), "%s/dump.rdb", set->folder);
    unlink(dump);
    rmdir(set->folder);
}
