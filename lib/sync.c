/* SPDX-License-Identifier: MIT */
#include "sync.h"
#include "node.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_MAX 65536u
#define READINGS_MAX 3u
#define FAULTS_TO_DOUBT 2u

static void fetch_delta(struct netron_sync *sync);
static void fetch_page(struct netron_sync *sync);

static void enter(struct netron_sync *sync, enum netron_sync_state state)
{
    static const char *const names[] = {"idle", "delta", "reading"};
    netron_log(&sync->core->log, NETRON_LOG_DEBUG, "sync: %s -> %s (epoch %s, revision %" PRIu64 ")",
               names[sync->state], names[state], sync->epoch, sync->revision);
    sync->state = state;
}

static void finish(struct netron_sync *sync, const struct netron_failure *why)
{
    struct netron_failure reason = {0};
    if (why != NULL)
        reason = *why; /* whoever is told may begin again, and that changes what why points to */
    enter(sync, NETRON_SYNC_IDLE);
    sync->done(sync->arg, why != NULL ? &reason : NULL);
}

static void fail(struct netron_sync *sync, int code, const char *sentence)
{
    struct netron_failure why;
    netron_fail(&why, code, "sync: %s", sentence);
    finish(sync, &why);
}

static void fail_by_reply(struct netron_sync *sync, const struct netron_reply *reply)
{
    struct netron_failure why;
    netron_link_fail(sync->link, netron_script_source_sync.text, reply, "sync", &why);
    finish(sync, &why);
}

static bool is_running(const struct netron_sync *sync)
{
    return sync->state != NETRON_SYNC_IDLE && !sync->replica->closed;
}

/* ---- applying ---- */

/* A record that cannot be read is held by its tag alone. Returns 0 or NETRON_ENOMEM. */
static int put_line(struct netron_sync *sync, const struct netron_reply *id, const struct netron_reply *line)
{
    size_t id_length = 0;
    size_t length = 0;
    const char *id_text = netron_reply_text(id, &id_length);
    const char *text = netron_reply_text(line, &length);
    struct netron_record record = {0};
    struct netron_stamp stamp;
    struct netron_failure why;
    if (id_text == NULL || text == NULL)
        return 0;
    int code = netron_record_parse_signed(text, length, id_text, &record, &stamp, &why);
    if (code == 0 && id_length != strlen(id_text))
        code = netron_fail(&why, NETRON_EPROTOCOL, "record: its id holds a NUL");
    if (code == 0)
        code = netron_witness_judge(sync->witness, id_text, &record, &stamp, &why);
    if (code == NETRON_ENOMEM) {
        netron_record_clear(&record);
        return code;
    }
    if (code != 0) {
        netron_record_drop_node(&record);
        netron_skipped_add(sync->skipped, id_text, why.sentence);
    }
    return netron_replica_put(sync->replica, id_text, id_length, &record);
}

static bool read_number(const struct netron_reply *reply, uint64_t *out)
{
    long long integer = 0;
    const char *text = netron_reply_text(reply, NULL);
    char *end = NULL;
    if (text != NULL && text[0] >= '0' && text[0] <= '9') {
        *out = strtoull(text, &end, 10);
        return *end == '\0';
    }
    if (!netron_reply_integer(reply, &integer) || integer < 0)
        return false;
    *out = (uint64_t)integer;
    return true;
}

static bool read_epoch(const struct netron_reply *reply, char epoch[NETRON_EPOCH_MAX + 1])
{
    size_t length = 0;
    const char *text = netron_reply_text(reply, &length);
    if (text == NULL || length > NETRON_EPOCH_MAX || strlen(text) != length)
        return false;
    memcpy(epoch, text, length + 1);
    return true;
}

static bool read_digest(const struct netron_reply *reply, uint64_t *out)
{
    const char *text = netron_reply_text(reply, NULL);
    if (text == NULL || strlen(text) != NETRON_TAG_DIGITS ||
        strspn(text, "0123456789abcdefABCDEF") != NETRON_TAG_DIGITS)
        return false;
    *out = strtoull(text, NULL, 16);
    return true;
}

/* ---- the end of a round ---- */

static void begin_reading(struct netron_sync *sync)
{
    if (sync->readings++ == READINGS_MAX) {
        fail(sync, NETRON_EPROTOCOL, "the registry changed all the time while it was read");
        return;
    }
    sync->full_syncs++;
    sync->must_sweep = true;
    sync->pages = 0;
    sync->answers = 0;
    strcpy(sync->cursor, "0");
    netron_replica_begin_round(sync->replica);
    enter(sync, NETRON_SYNC_READING);
    fetch_page(sync);
}

static void sweep(struct netron_sync *sync)
{
    if (!sync->must_sweep)
        return;
    sync->must_sweep = false;
    netron_replica_sweep(sync->replica, sync->keeps_missing, sync->revision);
    sync->keeps_missing = false;
}

static void conclude(struct netron_sync *sync, uint64_t digest)
{
    sweep(sync);
    if (!is_running(sync))
        return;
    if (digest == sync->replica->digest) {
        sync->faults_in_a_row = 0;
        finish(sync, NULL);
    } else if (sync->readings == 0) {
        netron_log(&sync->core->log, NETRON_LOG_INFO, "the replica does not add up: everything is read anew");
        sync->keeps_missing = true; /* revisions were used again: another history */
        begin_reading(sync);
    } else {
        sync->faults++;
        sync->is_doubted = ++sync->faults_in_a_row >= FAULTS_TO_DOUBT;
        fail(sync, NETRON_EPROTOCOL, "the registry's digest does not match its records");
    }
}

/* There is no registry: never born, flushed, or without what makes it one. */
static void conclude_absent(struct netron_sync *sync)
{
    if (sync->epoch[0] != '\0') {
        sync->keeps_missing = true;
        sync->must_sweep = true;
        netron_replica_begin_round(sync->replica);
    }
    sync->epoch[0] = '\0';
    sync->revision = 0;
    sync->faults_in_a_row = 0;
    conclude(sync, 0);
}

/* ---- DELTA ---- */

static void on_delta_full(struct netron_sync *sync, const struct netron_reply *reply)
{
    char epoch[NETRON_EPOCH_MAX + 1];
    if (!read_epoch(netron_reply_at(reply, 1), epoch))
        fail_by_reply(sync, reply);
    else if (epoch[0] == '\0')
        conclude_absent(sync);
    else
        begin_reading(sync);
}

/* The changes come in the order of their revisions. */
static int apply_changes(struct netron_sync *sync, const struct netron_reply *reply)
{
    for (size_t i = 5; i + 2 < netron_reply_count(reply) && is_running(sync); i += 3) {
        const struct netron_reply *id = netron_reply_at(reply, i);
        const struct netron_reply *line = netron_reply_at(reply, i + 2);
        size_t length = 0;
        const char *text = netron_reply_text(id, &length);
        uint64_t revision = 0;
        if (text == NULL || !read_number(netron_reply_at(reply, i + 1), &revision))
            return NETRON_EPROTOCOL; /* somebody else's entry among the changes: only reading everything gets past it */
        if (netron_reply_is_text(line, ""))
            netron_replica_remove(sync->replica, text, length, "", revision);
        else if (put_line(sync, id, line) != 0)
            return NETRON_ENOMEM;
        if (is_running(sync))
            sync->revision = revision;
    }
    return 0;
}

static void on_delta(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_sync *sync = arg;
    char epoch[NETRON_EPOCH_MAX + 1];
    uint64_t revision = 0;
    uint64_t digest = 0;
    long long more = 0;
    sync->call = NULL;
    if (reply == NULL) {
        finish(sync, failure);
        return;
    }
    if (netron_reply_is_text(netron_reply_at(reply, 0), "full")) {
        on_delta_full(sync, reply);
        return;
    }
    if (!netron_reply_is_text(netron_reply_at(reply, 0), "delta") || !read_epoch(netron_reply_at(reply, 1), epoch) ||
        strcmp(epoch, sync->epoch) != 0 || !read_number(netron_reply_at(reply, 2), &revision) ||
        !read_digest(netron_reply_at(reply, 3), &digest) || !netron_reply_integer(netron_reply_at(reply, 4), &more)) {
        fail_by_reply(sync, reply);
        return;
    }
    uint64_t before = sync->revision;
    int code = apply_changes(sync, reply);
    if (!is_running(sync))
        return;
    if (code == NETRON_EPROTOCOL) {
        begin_reading(sync);
    } else if (code != 0) {
        fail(sync, code, netron_strerror(code));
    } else if (more != 0 && sync->revision > before) {
        fetch_delta(sync);
    } else {
        sync->revision = revision;
        conclude(sync, digest);
    }
}

static void fetch_delta(struct netron_sync *sync)
{
    char revision[24];
    char page[16];
    snprintf(revision, sizeof(revision), "%" PRIu64, sync->revision);
    snprintf(page, sizeof(page), "%u", sync->page);
    const char *const arguments[] = {sync->epoch, revision, page};
    enter(sync, NETRON_SYNC_DELTA);
    int code = netron_script_call(sync->link, &netron_script_source_sync, sync->registry_key, arguments, 3, on_delta,
                                  sync, &sync->call);
    if (code != 0) {
        sync->call = NULL;
        fail(sync, code, netron_strerror(code));
    }
}

/* ---- READING ---- */

static void note_failure(struct netron_sync *sync, const struct netron_reply *reply,
                         const struct netron_failure *failure, const char *what)
{
    if (sync->failure.code != 0)
        return;
    if (reply == NULL)
        sync->failure = *failure;
    else
        netron_link_fail(sync->link, NULL, reply, what, &sync->failure);
}

static void arrived(struct netron_sync *sync)
{
    if (--sync->outstanding > 0 || !is_running(sync))
        return;
    if (sync->failure.code != 0)
        finish(sync, &sync->failure);
    else if (sync->epoch[0] == '\0')
        conclude(sync, 0);
    else if (strcmp(sync->cursor, "0") != 0)
        fetch_page(sync);
    else
        fetch_delta(sync);
}

/* A reading is of one server: the cursor of one says nothing to another, to which the records of a cluster have gone.
 */
static void check_whence(struct netron_sync *sync)
{
    uint64_t whence = netron_link_whence(sync->link);
    if (sync->answers++ == 0)
        sync->whence = whence;
    if (whence != sync->whence && sync->failure.code == 0)
        netron_fail(&sync->failure, NETRON_EUNAVAILABLE, "sync: the registry is moved to another node of the cluster");
}

/* In another registry, or in one that lost its latest changes as a failover may, who is missing need not be dead: he
 * registers again at his next beat.
 * The state before the first page: at most as new as any page, so the changes since it make the reading exact. */
static void on_numbers(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_sync *sync = arg;
    char epoch[NETRON_EPOCH_MAX + 1] = "";
    uint64_t revision = 0;
    const struct netron_reply *first = netron_reply_at(reply, 0);
    const struct netron_reply *second = netron_reply_at(reply, 1);
    bool is_absent = netron_reply_is_nil(first) || netron_reply_is_nil(second);
    bool is_there = !is_absent && read_epoch(first, epoch) && read_number(second, &revision);
    if (netron_reply_count(reply) != 2 || !(is_absent || is_there)) {
        note_failure(sync, reply, failure, "HMGET");
    } else {
        check_whence(sync);
        if (sync->epoch[0] != '\0' && (strcmp(sync->epoch, epoch) != 0 || revision < sync->revision))
            sync->keeps_missing = true;
        if (strcmp(sync->epoch, epoch) != 0)
            sync->faults_in_a_row = 0;
        memcpy(sync->epoch, epoch, sizeof(epoch));
        sync->revision = epoch[0] != '\0' ? revision : 0;
    }
    arrived(sync);
}

static void on_page(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_sync *sync = arg;
    const char *cursor = netron_reply_text(netron_reply_at(reply, 0), NULL);
    const struct netron_reply *page = netron_reply_at(reply, 1);
    if (cursor == NULL || strlen(cursor) >= sizeof(sync->cursor) || !netron_reply_is_array(page)) {
        note_failure(sync, reply, failure, "HSCAN");
    } else {
        check_whence(sync);
        memcpy(sync->cursor, cursor, strlen(cursor) + 1);
        for (size_t i = 0; i + 1 < netron_reply_count(page) && is_running(sync) && sync->epoch[0] != '\0'; i += 2)
            if (put_line(sync, netron_reply_at(page, i), netron_reply_at(page, i + 1)) != 0)
                netron_fail(&sync->failure, NETRON_ENOMEM, "sync: no memory for the registry");
    }
    arrived(sync);
}

static void ask(struct netron_sync *sync, int count, const char *const *words, netron_reply_fn fn, uint64_t *ticket)
{
    size_t lengths[8];
    for (int i = 0; i < count; i++)
        lengths[i] = strlen(words[i]);
    int code = netron_link_look(sync->link, count, words, lengths, fn, sync, ticket);
    if (code == 0)
        sync->outstanding++;
    else if (sync->failure.code == 0)
        netron_fail(&sync->failure, code, "sync: %s", netron_strerror(code));
}

static void fetch_page(struct netron_sync *sync)
{
    char count[16];
    const char *const numbers[] = {"HMGET", sync->registry_key, "epoch", "revision"};
    const char *const page[] = {"HSCAN", sync->records_key, sync->cursor, "COUNT", count};
    snprintf(count, sizeof(count), "%u", sync->page);
    sync->failure.code = 0;
    if (sync->pages == 0)
        sync->tickets[0] = sync->tickets[1] = UINT64_MAX; /* what stands there may be of another connection */
    if (sync->pages == 0)
        ask(sync, 4, numbers, on_numbers, &sync->tickets[0]);
    if (++sync->pages > PAGES_MAX)
        netron_fail(&sync->failure, NETRON_EPROTOCOL, "sync: HSCAN does not end");
    else
        ask(sync, 5, page, on_page, &sync->tickets[1]);
    if (sync->outstanding == 0)
        finish(sync, &sync->failure);
}

/* ---- beginning and end ---- */

bool netron_sync_is_idle(const struct netron_sync *sync)
{
    return sync->state == NETRON_SYNC_IDLE;
}

void netron_sync_begin(struct netron_sync *sync)
{
    if (sync->state != NETRON_SYNC_IDLE)
        return;
    sync->syncs++;
    sync->readings = 0;
    sync->is_doubted = false;
    bool must_read = sync->must_sweep || sync->must_read;
    sync->must_read = false;
    if (must_read)
        begin_reading(sync);
    else
        fetch_delta(sync);
}

void netron_sync_doubt(struct netron_sync *sync)
{
    sync->must_read = true;
}

/* What a broken reading has put stays: it was true when it was read. The next sync reads everything again. */
void netron_sync_abort(struct netron_sync *sync)
{
    if (sync->call != NULL)
        netron_script_cancel(sync->call);
    sync->call = NULL;
    for (unsigned i = 0; i < 2 && sync->state == NETRON_SYNC_READING; i++)
        netron_link_cancel(sync->link, sync->tickets[i]);
    sync->outstanding = 0;
    if (sync->state != NETRON_SYNC_IDLE)
        enter(sync, NETRON_SYNC_IDLE);
}
