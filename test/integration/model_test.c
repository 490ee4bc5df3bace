/* SPDX-License-Identifier: MIT */
/*
 * Whatever happens, everybody ends with the same picture (protocol sections 2 to 6).
 *
 * Each seed is a run of its own, in a process and on a server of its own, several at a time, for a run waits most of
 * the time. A seed makes the same things happen in the same order, to the same nodes, with the same content, and gives
 * the library the same random numbers; what it cannot repeat is how they interleave with Redis' answers and with time.
 * A failure that hangs on these shows again after some tries.
 *
 *     NETRON_TEST_SEEDS=1000   so many seeds instead of 50 (NETRON_TEST_FIRST_SEED=n: from that one on)
 *     NETRON_TEST_SEED=n       only this one, telling what happens
 *     NETRON_TEST_WORKERS=n    so many at a time
 *
 *     NETRON_TEST_SOAK_MINUTES=30   instead: rounds without end for so long (model_soak.c)
 */
#include "model.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEEDS 50
#define WORKERS 12
#define SOAKERS 4
#define ROUNDS 3
#define STEPS 32
#define SETTLE_MS 12000u /* what takes longer does not end at all */
#define POKE_MS 100u
#define STANDSTILL_MS 300u

static bool is_alone; /* one seed, told about as it goes */

/* ---- telling ---- */

void model_trace(struct model *model, const char *format, ...)
{
    char *line = model->trace[model->trace_count++ % TRACE_LINES];
    va_list arguments;
    va_start(arguments, format);
    int length = snprintf(line, sizeof(model->trace[0]), "%u.%u: ", model->round, model->step);
    vsnprintf(line + length, sizeof(model->trace[0]) - (size_t)length, format, arguments);
    va_end(arguments);
    if (is_alone)
        fprintf(stderr, "# %s\n", line);
}

void model_log(netron_log_level level, const char *line, void *arg)
{
    (void)level;
    if (is_alone)
        fprintf(stderr, "#     %.3f %s: %s\n", (double)(world_clock_ms() % 100000) / 1000, (const char *)arg, line);
}

void model_fail(struct model *model, const char *format, ...)
{
    char reason[8192];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    unsigned first = model->trace_count > TRACE_LINES ? model->trace_count - TRACE_LINES : 0;
    for (unsigned i = first; i < model->trace_count && !is_alone; i++)
        fprintf(stderr, "# %s\n", model->trace[i % TRACE_LINES]);
    fprintf(stderr, "# seed %llu: %s\n", (unsigned long long)model->seed, reason);
    ck_abort_msg("NETRON_TEST_SEED=%llu, round %u, step %u: %s", (unsigned long long)model->seed, model->round,
                 model->step, reason);
}

void model_touch(struct model *model, int id, unsigned departures, unsigned changes)
{
    model->may_depart[id] += departures;
    model->may_change[id] += changes;
}

/* ---- running ---- */

static void notice_standstill(struct model *model)
{
    uint64_t now = world_clock_ms();
    unsigned gap = (unsigned)(now - model->turned_at);
    model->turned_at = now;
    if (gap > model->longest_gap)
        model->longest_gap = gap;
}

void model_pump(struct model *model, unsigned ms)
{
    uint64_t end = world_clock_ms() + ms;
    do {
        world_turn(&model->world);
        model_fleet_beat(model);
        notice_standstill(model);
    } while (world_clock_ms() < end);
}

/* ---- what may happen ---- */

enum theme { CALM, LINKS, NETWORK, LOSS, HISTORY, BOOKKEEPING, EVERYTHING, THEMES };

static void change_own(struct model *model)
{
    int id = (int)model_draw(&model->random, OWN_IDS);
    int publisher = (int)model_draw(&model->random, MARKER_PUBLISHER);
    struct model_claim *claim = model_claim_any(model, &model->random);
    uint64_t what = model_draw(&model->random, 20);
    bool is_running = model->publishers[publisher].discovery != NULL;
    if (!is_running && what < 12)
        model_publisher_start(model, publisher);
    else if (what < 7)
        model_claim_begin(model, id, publisher);
    else if (what < 15 && claim != NULL)
        model_claim_change(model, claim);
    else if (what < 18 && claim != NULL)
        model_claim_leave(model, claim);
    else if (what == 19 && is_running)
        model_publisher_crash(model, publisher);
}

static void change_original(struct model *model)
{
    int original = (int)model_draw(&model->random, ORIGINALS);
    uint64_t what = model_draw(&model->random, 10);
    if (!model->originals[original].is_alive)
        model_original_start(model, original);
    else if (what < 6)
        model_original_change(model, original);
    else if (what < 8)
        model_original_leave(model, original);
    else
        model_original_die(model, original);
}

static void change_watcher(struct model *model)
{
    int watcher = (int)model_draw(&model->random, WATCHERS);
    switch (model_draw(&model->random, 4)) {
    case 0:
        model_watcher_stop(model, watcher);
        model_watcher_start(model, watcher);
        break;
    case 1:
        model_watcher_unsubscribe(model, watcher);
        break;
    default:
        model_watcher_subscribe(model, watcher);
        break;
    }
}

static void cause_trouble(struct model *model, enum theme theme)
{
    uint64_t any = model_draw(&model->random, 5);
    if (theme == NETWORK || (theme == EVERYTHING && any == 4))
        model_fault_network(model);
    else if (theme == LINKS || (theme == EVERYTHING && any == 0))
        model_fault_link(model);
    else if (theme == LOSS || (theme == EVERYTHING && any == 1))
        model_fault_loss(model);
    else if (theme == HISTORY || (theme == EVERYTHING && any == 2))
        model_fault_history(model);
    else if (theme == BOOKKEEPING || theme == EVERYTHING)
        model_fault_bookkeeping(model);
}

static void take_step(struct model *model, enum theme theme)
{
    uint64_t what = model_draw(&model->random, 100);
    unsigned pause = model_chance(&model->random, 20) ? (unsigned)model_draw(&model->random, 120)
                                                      : (unsigned)model_draw(&model->random, 12);
    model->step++;
    if (model_chance(&model->random, 15)) /* so that late and doubled messages are about what is changed again */
        model_marker_change(model);
    if (what < 55)
        change_own(model);
    else if (what < 75 && model->is_mixed)
        change_original(model);
    else if (what < 80)
        change_watcher(model);
    else
        cause_trouble(model, theme);
    model_pump(model, pause);
}

/* ---- quiet points ---- */

/* What the registry lacks to be what is meant; "" when nothing. */
static void registry_complaint(struct model *model, char picture[PICTURE_MAX], char services[PICTURE_MAX], char *out,
                               size_t size)
{
    char meant[PICTURE_MAX], complaint[PICTURE_MAX];
    bool is_settled = model_fleet_picture(model, meant);
    model_registry_read(model, picture, services, complaint);
    out[0] = '\0';
    if (!is_settled)
        snprintf(out, size, "registrations are still under way; the registry is\n%s%s", picture, complaint);
    else if (strcmp(meant, picture) != 0)
        snprintf(out, size, "the registry should be\n%sbut is\n%s%s", meant, picture, complaint);
    else if (complaint[0] != '\0')
        snprintf(out, size, "the registry is\n%sbut %s", picture, complaint);
}

static void await_registry(struct model *model)
{
    char picture[PICTURE_MAX], services[PICTURE_MAX], complaint[3 * PICTURE_MAX];
    uint64_t limit = world_clock_ms() + SETTLE_MS;
    for (;;) {
        registry_complaint(model, picture, services, complaint, sizeof(complaint));
        if (complaint[0] == '\0')
            return;
        if (world_clock_ms() > limit)
            model_fail(model, "%s", complaint);
        model_pump(model, 10);
    }
}

/* The marker changes now and then: those who missed something before hear of it by that. */
static void await_watchers(struct model *model)
{
    char picture[PICTURE_MAX], services[PICTURE_MAX], complaint[3 * PICTURE_MAX];
    uint64_t limit = world_clock_ms() + SETTLE_MS;
    uint64_t next_poke = world_clock_ms();
    for (;;) {
        int watcher = 0;
        registry_complaint(model, picture, services, complaint, sizeof(complaint));
        for (; watcher < WATCHERS && complaint[0] == '\0'; watcher++)
            model_watcher_complaint(model, watcher, picture, services, complaint, sizeof(complaint));
        if (complaint[0] == '\0')
            return;
        if (world_clock_ms() > limit)
            model_fail(model, "watcher %d: %s\nwhere the registry is\n%s%s", watcher - 1, complaint, picture, services);
        if (world_clock_ms() >= next_poke) {
            model_marker_change(model);
            next_poke = world_clock_ms() + POKE_MS;
        }
        model_pump(model, 10);
    }
}

static void come_to_rest(struct model *model)
{
    bool is_silent = model_chance(&model->random, 30);
    uint64_t began = world_clock_ms();
    model_trace(model, "rest");
    model_relay_heal(model);
    model_network_heal(model);
    await_registry(model);
    if (is_silent) /* whoever is kept has to be missed before he is heard of again */
        model_pump(model, MODEL_GRACE_MS + 300);
    uint64_t settled = world_clock_ms();
    await_watchers(model);
    model_trace(model, "at rest after %d ms, and %d ms more", (int)(settled - began),
                (int)(world_clock_ms() - settled));
    if (model->longest_gap < STANDSTILL_MS)
        model_watchers_check_counts(model);
    else
        model_trace(model, "the loop stood still for %u ms: who died of that is not counted", model->longest_gap);
    model_watchers_count_anew(model);
    model_claims_forget_ended(model);
    memset(model->may_depart, 0, sizeof(model->may_depart));
    memset(model->may_change, 0, sizeof(model->may_change));
    model->longest_gap = 0;
    model->is_shaken = false;
}

/* ---- a run ---- */

void model_begin(struct model *model, uint64_t seed)
{
    *model = (struct model){
        .seed = seed, .random = {.state = seed}, .is_mixed = seed % 2 == 0, .turned_at = world_clock_ms()};
    server_start(&model->server, NULL);
    world_open(&model->world);
    model_network_open(model);
    model_relay_open(model);
    model_fleet_open(model);
    for (int i = 0; i < WATCHERS; i++)
        model_watcher_start(model, i);
}

void model_round(struct model *model)
{
    enum theme theme = (enum theme)model_draw(&model->random, THEMES);
    model->round++;
    model->relay.is_honest = false;
    for (int i = 0; i < STEPS; i++)
        take_step(model, theme);
    come_to_rest(model);
}

void model_end(struct model *model)
{
    for (int i = 0; i < WATCHERS; i++)
        model_watcher_stop(model, i);
    model_fleet_close(model);
    model_relay_close(model);
    model_network_close(model);
    world_close(&model->world);
    server_forget(&model->server);
    server_stop(&model->server);
}

/* ---- many seeds ---- */

uint64_t model_setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    char *end = NULL;
    if (text == NULL || text[0] == '\0')
        return otherwise;
    uint64_t number = strtoull(text, &end, 10);
    if (*end == '\0' && number > 0)
        return number;
    fprintf(stderr, "%s=%s is no number from 1\n", name, text);
    exit(EXIT_FAILURE);
}

static void begin_seed(uint64_t seed, pid_t *pid)
{
    fflush(NULL);
    *pid = fork();
    ck_assert_int_ge(*pid, 0);
    if (*pid > 0)
        return;
    static struct model model;
    model_begin(&model, seed);
    for (int i = 0; i < ROUNDS; i++)
        model_round(&model);
    model_end(&model);
    exit(EXIT_SUCCESS);
}

START_TEST(everybody_ends_with_the_same_picture)
{
    enum { WORKERS_MAX = 64 };
    pid_t pids[WORKERS_MAX] = {0};
    uint64_t seeds[WORKERS_MAX] = {0};
    uint64_t alone = model_setting("NETRON_TEST_SEED", 0);
    uint64_t next = alone != 0 ? alone : model_setting("NETRON_TEST_FIRST_SEED", 1);
    uint64_t end = next + (alone != 0 ? 1 : model_setting("NETRON_TEST_SEEDS", SEEDS));
    uint64_t workers = model_setting("NETRON_TEST_WORKERS", WORKERS);
    ck_assert_uint_le(workers, WORKERS_MAX);
    unsigned running = 0, failed = 0;
    is_alone = alone != 0;
    while (next < end || running > 0) {
        int status = 0;
        for (unsigned i = 0; i < workers && i < WORKERS_MAX && next < end; i++) {
            if (pids[i] != 0)
                continue;
            seeds[i] = next;
            begin_seed(next++, &pids[i]);
            running++;
        }
        pid_t ended = waitpid(-1, &status, 0);
        for (unsigned i = 0; i < WORKERS_MAX && ended > 0; i++) {
            if (pids[i] != ended)
                continue;
            pids[i] = 0;
            running--;
            if (status != 0)
                fprintf(stderr, "# failed: NETRON_TEST_SEED=%llu\n", (unsigned long long)seeds[i]);
            failed += status != 0;
        }
    }
    ck_assert_msg(failed == 0, "%u seeds failed", failed);
}
END_TEST

START_TEST(a_fleet_that_goes_on_for_long_does_not_grow)
{
    model_soak(model_setting("NETRON_TEST_SOAK_MINUTES", 0), (unsigned)model_setting("NETRON_TEST_WORKERS", SOAKERS));
}
END_TEST

int main(void)
{
    uint64_t minutes = model_setting("NETRON_TEST_SOAK_MINUTES", 0);
    Suite *suite = suite_create("model");
    TCase *tcase = suite_case(suite, "model");
    tcase_set_timeout(tcase, (double)(60 + 60 * minutes + 10 * model_setting("NETRON_TEST_SEEDS", SEEDS)));
    if (minutes > 0)
        tcase_add_test(tcase, a_fleet_that_goes_on_for_long_does_not_grow);
    else
        tcase_add_test(tcase, everybody_ends_with_the_same_picture);
    return suite_run(suite);
}
