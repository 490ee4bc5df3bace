/* SPDX-License-Identifier: MIT */
/* The contract of loop.h for host names, on whatever reactor this is linked with. */
#include "seam.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netron/error.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct question {
    void *handle;
    int calls;
    int code;
    size_t count;
    char first[64];
    bool has_reason;
};

static void on_answer(int code, const char *const *addresses, size_t count, const char *reason, void *arg)
{
    struct question *question = arg;
    ck_assert_ptr_nonnull(question->handle); /* never from inside a call, and not after it was cancelled */
    question->calls++;
    question->code = code;
    question->count = count;
    question->has_reason = reason != NULL && reason[0] != '\0';
    if (count > 0)
        snprintf(question->first, sizeof(question->first), "%s", addresses[0]);
    question->handle = NULL;
}

static void ask(struct question *question, const char *host)
{
    void *handle = loop->resolve(loop, host, on_answer, question);
    ck_assert_ptr_nonnull(handle);
    ck_assert_int_eq(question->calls, 0);
    question->handle = handle;
}

static void cancel(struct question *question)
{
    void *handle = question->handle;
    question->handle = NULL;
    loop->resolve_cancel(loop, handle);
}

static bool is_numeric(const char *address)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, address, bytes) == 1 || inet_pton(AF_INET6, address, bytes) == 1;
}

START_TEST(a_known_name_has_numeric_addresses)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "::1"};
    struct question question = {0};
    ask(&question, names[_i]);
    AWAIT(&world, question.calls == 1);
    ck_assert_int_eq(question.code, 0);
    ck_assert_uint_gt(question.count, 0);
    ck_assert_msg(is_numeric(question.first), "%s", question.first);
    turns_within(10);
    ck_assert_int_eq(question.calls, 1);
}
END_TEST

START_TEST(questions_may_be_asked_at_the_same_time)
{
    struct question questions[3] = {0};
    for (int i = 0; i < 3; i++)
        ask(&questions[i], "localhost");
    cancel(&questions[1]);
    AWAIT(&world, questions[0].calls == 1 && questions[2].calls == 1);
    turns_within(10);
    ck_assert_int_eq(questions[1].calls, 0);
}
END_TEST

/* A name server slower than whoever asks: nothing gathers. */
START_TEST(questions_that_were_cancelled_leave_nothing_as_time_goes_by)
{
    int before = suite_descriptors();
    for (int i = 0; i < 50; i++) {
        struct question question = {0};
        ask(&question, "localhost");
        cancel(&question);
        world_turn(&world);
    }
    AWAIT(&world, suite_descriptors() <= before + 1); /* one stays with the name service of libevent */
}
END_TEST

START_TEST(a_question_may_be_cancelled_at_any_moment)
{
    struct question question = {0};
    ask(&question, "localhost");
    for (int i = 0; i < _i && question.calls == 0; i++)
        reactor_turn(world.reactor, 1);
    int calls = question.calls;
    if (calls == 0)
        cancel(&question);
    turns_within(20);
    ck_assert_int_eq(question.calls, calls);
}
END_TEST

/* ---- a network where nobody answers ---- */

/* Whether this process could leave the network and the mounts of all others: by itself in a user namespace, or as root
 * where there is none to be had, as in a chroot. There the mounts are set apart by whoever made it. */
static bool leave_system(void)
{
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) == 0)
        return true;
    if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0)
        return false;
    return mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 || errno == EINVAL;
}

static int name_server;

/* A network of the test's own, and the one name server in it takes every question and says nothing. The file stands
 * over the system's for this process alone. */
static void open_silent_network(void)
{
    static const char text[] = "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n";
    char path[] = "/tmp/netron-resolv-XXXXXX";
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = mkstemp(path); /* before the user namespace, which has no owner for it */
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, sizeof(text) - 1), (int)sizeof(text) - 1);
    ck_assert_int_eq(fchmod(fd, 0644), 0);
    close(fd);
    bool has_left = leave_system();
    bool is_over = has_left && mount(path, "/etc/resolv.conf", "none", MS_BIND, NULL) == 0;
    unlink(path);
    ck_assert_msg(is_over, "no network of its own: %s", strerror(errno));
    name_server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(ioctl(name_server, SIOCSIFFLAGS, &loopback), 0);
    ck_assert_int_eq(bind(name_server, (struct sockaddr *)&address, sizeof(address)), 0);
    open_seam();
}

static void close_silent_network(void)
{
    close_seam();
    close(name_server);
}

static bool was_asked(void)
{
    char packet[512];
    return recv(name_server, packet, sizeof(packet), MSG_DONTWAIT | MSG_PEEK) > 0;
}

#define TICKS 20

struct ticker {
    void *timer;
    int ticks;
};

static void on_tick(void *arg)
{
    struct ticker *ticker = arg;
    ticker->ticks++;
    ck_assert_int_eq(loop->timer_start(loop, ticker->timer, 1), 0);
}

/* A resolver that blocks, be it in the call or in the turn after it, has given up when the loop turns again: two
 * seconds hold the ticks of a busy machine as well. */
START_TEST(a_name_server_that_never_answers_does_not_delay_the_loop)
{
    struct question question = {0};
    struct ticker ticker = {0};
    ticker.timer = loop->timer_new(loop, on_tick, &ticker);
    ck_assert_int_eq(loop->timer_start(loop, ticker.timer, 1), 0);
    ask(&question, "unknown.example");
    AWAIT(&world, was_asked());
    int before = ticker.ticks;
    AWAIT(&world, ticker.ticks >= before + TICKS);
    ck_assert_int_eq(question.calls, 0);
    if (_i == 0) {
        cancel(&question);
    } else {
        AWAIT(&world, question.calls == 1);
        ck_assert_int_eq(question.code, NETRON_ERESOLVE);
        ck_assert_uint_eq(question.count, 0);
        ck_assert(question.has_reason);
    }
    loop->timer_free(loop, ticker.timer);
}
END_TEST

/* Containers may forbid it. */
static bool may_leave_system(void)
{
    int status = 1;
    pid_t child = fork();
    if (child == 0)
        _exit(leave_system() ? 0 : 1);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int main(void)
{
    Suite *suite = suite_create("names");
    TCase *tcase = suite_case(suite, reactor_name);
    tcase_add_checked_fixture(tcase, open_seam, close_seam);
    tcase_add_loop_test(tcase, a_known_name_has_numeric_addresses, 0, 3);
    tcase_add_test(tcase, questions_may_be_asked_at_the_same_time);
    tcase_add_test(tcase, questions_that_were_cancelled_leave_nothing_as_time_goes_by);
    tcase_add_loop_test(tcase, a_question_may_be_cancelled_at_any_moment, 0, 4);
    if (getenv("NETRON_TEST_ALLOW_SKIP") != NULL && !may_leave_system())
        return suite_run(suite);
    TCase *silent = suite_case(suite, "silent");
    tcase_add_checked_fixture(silent, open_silent_network, close_silent_network);
    tcase_add_loop_test(silent, a_name_server_that_never_answers_does_not_delay_the_loop, 0, 2);
    return suite_run(suite);
}
