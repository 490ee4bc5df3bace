/* SPDX-License-Identifier: MIT */
/*
 * The soak: some fleets live on, round after round, each in a process of its own, and are compared at the end of each
 * round. None may hold more memory at the end than at the beginning.
 */
#include "model.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOAKERS_MAX 64
#define TENTHS 10
#define SLACK_KB 512 /* and a tenth */

#if defined(__SANITIZE_ADDRESS__)
size_t __sanitizer_get_current_allocated_bytes(void); /* gcc comes without the header */
/* What is freed is kept for a while, to be found when it is used: here that must not look like growth. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=1:thread_local_quarantine_size_kb=64";
}

/* The sanitizer's own books, of each way that ever led to an allocation, are resident as well, and grow for long. So
 * what it knows to be allocated is compared. */
static uint64_t held_kb(void)
{
    return __sanitizer_get_current_allocated_bytes() / 1024;
}
#else
static uint64_t resident_kb(void);

static uint64_t held_kb(void)
{
    return resident_kb();
}
#endif

struct memory {
    uint64_t resident; /* KB, sums of all samples */
    uint64_t held;
    uint64_t samples;
};

static uint64_t resident_kb(void)
{
    unsigned long all = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%lu %lu", &all, &resident) != 2)
        ck_abort_msg("the memory in use cannot be read");
    ck_assert_int_eq(fclose(file), 0);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}

static void sample(struct memory *memory)
{
    memory->resident += resident_kb();
    memory->held += held_kb();
    memory->samples++;
}

static unsigned long long mean(const struct memory *memory, uint64_t sum)
{
    return memory->samples > 0 ? sum / memory->samples : 0;
}

/* Check writes down every assertion that held, which in half an hour are millions. What fails is told on stderr and by
 * the exit. */
static void leave_the_books_of_check(void)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (int fd = STDERR_FILENO + 1; fd < nowhere; fd++) {
        char link[32], name[64] = "";
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        if (readlink(link, name, sizeof(name) - 1) > 0 && strstr(name, "/check_") != NULL)
            dup2(nowhere, fd);
    }
    close(nowhere);
}

static void tell(const struct model *model, const struct memory tenths[TENTHS])
{
    char text[TENTHS * 32];
    int length = 0;
    for (int i = 0; i < TENTHS; i++)
        length += snprintf(text + length, sizeof(text) - (size_t)length, " %llu/%llu", mean(&tenths[i], tenths[i].held),
                           mean(&tenths[i], tenths[i].resident));
    fprintf(stderr, "# fleet %llu: %u rounds; KB held/resident in each tenth of the time:%s\n",
            (unsigned long long)model->seed, model->round, text);
}

static void live_on(uint64_t seed, uint64_t minutes)
{
    static struct model model;
    struct memory tenths[TENTHS] = {{0}};
    uint64_t span = minutes * 60000;
    uint64_t begun = world_clock_ms();
    model_begin(&model, seed);
    for (uint64_t age = 0; age < span; age = world_clock_ms() - begun) {
        model_round(&model);
        sample(&tenths[age * TENTHS / span]);
    }
    model_end(&model);
    tell(&model, tenths);
    unsigned long long first = mean(&tenths[0], tenths[0].held);
    unsigned long long last = mean(&tenths[TENTHS - 1], tenths[TENTHS - 1].held);
    exit(last > 0 && last <= first + first / 10 + SLACK_KB ? EXIT_SUCCESS : EXIT_FAILURE);
}

void model_soak(uint64_t minutes, unsigned workers)
{
    pid_t pids[SOAKERS_MAX];
    unsigned failed = 0;
    workers = workers < SOAKERS_MAX ? workers : SOAKERS_MAX;
    uint64_t first = model_setting("NETRON_TEST_FIRST_SEED", 1);
    for (unsigned i = 0; i < workers; i++) {
        fflush(NULL);
        pids[i] = fork();
        ck_assert_int_ge(pids[i], 0);
        if (pids[i] > 0)
            continue;
        leave_the_books_of_check();
        live_on(first + i, minutes);
    }
    for (unsigned i = 0; i < workers; i++) {
        int status = 0;
        while (waitpid(pids[i], &status, 0) == -1 && errno == EINTR)
            ;
        failed += status != 0;
    }
    ck_assert_msg(failed == 0, "%u fleets failed", failed);
}
