/* SPDX-License-Identifier: MIT */
#include "sentinels.h"
#include "backoff.h"
#include "sentinel.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct seat {
    const struct netron_host *host;
    unsigned turn;
    bool was_asked; /* in the search under way */
};

struct netron_sentinels {
    struct netron_topology topology; /* first */
    struct netron_grave grave;
    const struct netron_settings *settings;
    struct seat *seats; /* in the order in which they are asked */
    size_t count;
    struct netron_sentinel *asked; /* of the search under way; NULL: there is none */
    uint64_t search_ends;
    struct netron_failure failure; /* the most telling one of that search */
    struct netron_sentinel *watch; /* the one that was believed last, as long as it is there */
    uint64_t watched_since;
    const struct netron_host *believed; /* who told `primary` */
    struct netron_location primary;
    struct netron_deadline next_search;
    unsigned attempts;
    int told; /* the code of the trouble with them that the log has told; 0: none */
};

static struct netron_sentinels *of(struct netron_topology *topology)
{
    return (struct netron_sentinels *)topology;
}

/* ---- the order ---- */

static void move_seat(struct netron_sentinels *sentinels, const struct netron_host *host, bool to_front)
{
    size_t from = 0;
    while (from < sentinels->count && sentinels->seats[from].host != host)
        from++;
    if (from == sentinels->count)
        return;
    const struct seat seat = sentinels->seats[from];
    size_t to = to_front ? 0 : sentinels->count - 1;
    if (to_front)
        memmove(&sentinels->seats[1], &sentinels->seats[0], from * sizeof(seat));
    else
        memmove(&sentinels->seats[from], &sentinels->seats[from + 1], (to - from) * sizeof(seat));
    sentinels->seats[to] = seat;
}

static void on_confirmed(struct netron_topology *topology, const struct netron_location *at)
{
    struct netron_sentinels *sentinels = of(topology);
    if (netron_location_same(at, &sentinels->primary))
        move_seat(sentinels, sentinels->believed, true);
}

static void on_doubted(struct netron_topology *topology, const struct netron_location *at, const char *words)
{
    struct netron_sentinels *sentinels = of(topology);
    (void)words; /* a demoted primary does not say who took its place */
    if (netron_location_same(at, &sentinels->primary))
        move_seat(sentinels, sentinels->believed, false);
}

/* ---- the search ---- */

static uint32_t next_delay(struct netron_sentinels *sentinels, int code)
{
    const struct netron_settings *settings = sentinels->settings;
    uint64_t random = netron_core_random(sentinels->topology.core);
    if (netron_failure_needs_operator(code))
        return netron_backoff_operator(settings->reconnect_max_ms, random);
    return netron_backoff_reconnect(settings->reconnect_min_ms, settings->reconnect_max_ms, sentinels->attempts++,
                                    random);
}

/* Nobody watches the sentinels: somebody has to, whether a link asks or not. */
static void search_later(struct netron_sentinels *sentinels, const struct netron_failure *why)
{
    bool is_news = sentinels->told == 0 || (why->code != sentinels->told && netron_failure_needs_operator(why->code));
    netron_log(&sentinels->topology.core->log, is_news ? NETRON_LOG_WARNING : NETRON_LOG_DEBUG,
               "no sentinel is being watched: %s", why->sentence);
    if (is_news)
        sentinels->told = why->code;
    netron_core_after(sentinels->topology.core, &sentinels->next_search, next_delay(sentinels, why->code));
}

static bool is_telling(int code)
{
    return code != 0 && code != NETRON_EDISCONNECTED && code != NETRON_ETIMEDOUT && code != NETRON_ERESOLVE;
}

/* That one refuses us says more than that another is not there. */
static void note(struct netron_sentinels *sentinels, const struct netron_failure *why)
{
    if (sentinels->failure.code == 0 || (is_telling(why->code) && !is_telling(sentinels->failure.code)))
        sentinels->failure = *why;
}

static struct seat *next_seat(struct netron_sentinels *sentinels, size_t *left)
{
    struct seat *next = NULL;
    *left = 0;
    for (size_t i = 0; i < sentinels->count; i++) {
        if (sentinels->seats[i].was_asked)
            continue;
        if (next == NULL)
            next = &sentinels->seats[i];
        ++*left;
    }
    return next;
}

/* Who was not asked, for the time was over, is asked first the next time. */
static void begin_with_the_others(struct netron_sentinels *sentinels)
{
    for (size_t i = 0; i < sentinels->count && sentinels->seats[0].was_asked; i++)
        move_seat(sentinels, sentinels->seats[0].host, false);
}

static void fail_search(struct netron_sentinels *sentinels)
{
    struct netron_failure why;
    begin_with_the_others(sentinels);
    netron_fail(&why, sentinels->failure.code, "no sentinel told where the primary \"%s\" is: %s",
                sentinels->settings->redis.primary_name, sentinels->failure.sentence);
    if (sentinels->watch == NULL)
        search_later(sentinels, &why);
    netron_topology_tell(&sentinels->topology, NULL, &why);
}

static const struct netron_sentinel_events sentinel_events;

static void search_on(struct netron_sentinels *sentinels)
{
    struct netron_core *core = sentinels->topology.core;
    struct netron_failure why;
    struct seat *seat;
    size_t left;
    while ((seat = next_seat(sentinels, &left)) != NULL) {
        uint64_t share = netron_topology_share(netron_core_now(core), sentinels->search_ends, left);
        if (share < NETRON_TOPOLOGY_LEAST_SHARE_MS && sentinels->failure.code != 0)
            break;
        seat->was_asked = true;
        int code = netron_sentinel_new(core, sentinels->settings, seat->host, seat->turn++, share, &sentinel_events,
                                       sentinels, &sentinels->asked);
        if (code == 0)
            return;
        netron_fail(&why, code, "%s", netron_strerror(code));
        note(sentinels, &why);
    }
    fail_search(sentinels);
}

static void on_next_search(void *arg)
{
    struct netron_sentinels *sentinels = arg;
    if (sentinels->asked != NULL)
        return;
    for (size_t i = 0; i < sentinels->count; i++)
        sentinels->seats[i].was_asked = false;
    sentinels->failure = (struct netron_failure){0};
    sentinels->search_ends = netron_core_now(sentinels->topology.core) + sentinels->settings->connect_timeout_ms;
    search_on(sentinels);
}

static void on_ask(struct netron_topology *topology)
{
    struct netron_sentinels *sentinels = of(topology);
    if (sentinels->asked == NULL)
        netron_core_after(topology->core, &sentinels->next_search, 0);
}

/* ---- what the sentinels say ---- */

static void believe(struct netron_sentinels *sentinels, struct netron_sentinel *sentinel,
                    const struct netron_location *primary)
{
    const struct netron_location told = *primary;
    const struct netron_host *host = netron_sentinel_host(sentinel);
    char by[NETRON_ADDRESS_SIZE];
    char address[NETRON_ADDRESS_SIZE];
    bool is_news = !netron_location_same(primary, &sentinels->primary);
    netron_log(&sentinels->topology.core->log, is_news ? NETRON_LOG_INFO : NETRON_LOG_DEBUG,
               "sentinel %s: the primary \"%s\" is %s", netron_address_text(by, host->name, host->port),
               sentinels->settings->redis.primary_name, netron_address_text(address, primary->host, primary->port));
    sentinels->believed = host;
    sentinels->primary = told;
    netron_topology_tell(&sentinels->topology, &told, NULL);
}

static void on_answered(void *arg, struct netron_sentinel *sentinel, const struct netron_location *primary)
{
    struct netron_sentinels *sentinels = arg;
    netron_sentinel_free(sentinels->watch);
    sentinels->watch = sentinel;
    sentinels->asked = NULL;
    sentinels->watched_since = netron_core_now(sentinels->topology.core);
    netron_core_cancel(sentinels->topology.core, &sentinels->next_search);
    believe(sentinels, sentinel, primary);
}

static void on_switched(void *arg, struct netron_sentinel *sentinel, const struct netron_location *primary)
{
    struct netron_sentinels *sentinels = arg;
    /* Nothing that another may answer now is newer. */
    netron_sentinel_free(sentinels->asked);
    sentinels->asked = NULL;
    netron_core_cancel(sentinels->topology.core, &sentinels->next_search);
    believe(sentinels, sentinel, primary);
}

static void on_ended(void *arg, struct netron_sentinel *sentinel, const struct netron_failure *why)
{
    struct netron_sentinels *sentinels = arg;
    bool was_asked = sentinel == sentinels->asked;
    const struct netron_host *host = netron_sentinel_host(sentinel);
    netron_sentinel_free(sentinel);
    if (was_asked) {
        sentinels->asked = NULL;
        note(sentinels, why);
        search_on(sentinels);
        return;
    }
    sentinels->watch = NULL;
    move_seat(sentinels, host, false);
    /* It has to last to count: a sentinel that answers and hangs up must not be hammered. */
    uint64_t lasted = netron_core_now(sentinels->topology.core) - sentinels->watched_since;
    if (lasted >= sentinels->settings->reconnect_max_ms)
        sentinels->attempts = 0;
    /* Where each refuses to be watched, or its first PING, that is one trouble and not one more each time. */
    if (lasted >= sentinels->settings->reconnect_max_ms && lasted >= 2ull * sentinels->settings->ping_interval_ms)
        sentinels->told = 0;
    if (sentinels->asked == NULL && !netron_topology_is_asked(&sentinels->topology))
        search_later(sentinels, why);
}

static const struct netron_sentinel_events sentinel_events = {
    .answered = on_answered, .switched = on_switched, .ended = on_ended};

/* ---- beginning and end ---- */

static void destroy(struct netron_grave *grave)
{
    struct netron_sentinels *sentinels =
        (struct netron_sentinels *)((char *)grave - offsetof(struct netron_sentinels, grave));
    free(sentinels->seats);
    free(sentinels);
}

static void on_free(struct netron_topology *topology)
{
    struct netron_sentinels *sentinels = of(topology);
    netron_core_cancel(topology->core, &sentinels->next_search);
    netron_sentinel_free(sentinels->asked);
    netron_sentinel_free(sentinels->watch);
    sentinels->asked = sentinels->watch = NULL;
    netron_core_bury(topology->core, &sentinels->grave, destroy);
}

static const struct netron_topology_kind kind = {
    .ask = on_ask, .confirmed = on_confirmed, .doubted = on_doubted, .free = on_free};

int netron_sentinels_new(struct netron_core *core, const struct netron_settings *settings, struct netron_topology **out)
{
    struct netron_sentinels *sentinels = calloc(1, sizeof(*sentinels));
    size_t count = settings->redis.host_count;
    struct seat *seats = calloc(count, sizeof(*seats));
    if (sentinels == NULL || seats == NULL) {
        free(sentinels);
        free(seats);
        return NETRON_ENOMEM;
    }
    for (size_t i = 0; i < count; i++)
        seats[i].host = &settings->redis.hosts[i];
    sentinels->topology = (struct netron_topology){.kind = &kind, .core = core};
    sentinels->settings = settings;
    sentinels->seats = seats;
    sentinels->count = count;
    netron_deadline_init(&sentinels->next_search, on_next_search, sentinels);
    *out = &sentinels->topology;
    return 0;
}
