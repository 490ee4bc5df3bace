/* SPDX-License-Identifier: MIT */
/* The test's side of the proxy: its process is started, and told what to do. */
#include "proxy_order.h"
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKLOG 128

/* ---- the process ---- */

static void die(const char *what)
{
    fprintf(stderr, "proxy: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static int listen_on_tcp(struct proxy *proxy)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    const int on = 1; /* so that it can be bound anew while its connections last */
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd == -1 || bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        die("TCP");
    proxy->port = ntohs(address.sin_port);
    snprintf(proxy->url, sizeof(proxy->url), "redis://127.0.0.1:%u", proxy->port);
    return fd;
}

static int listen_on_unix(struct proxy *proxy)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(proxy->folder, "/tmp/netron-proxy-XXXXXX");
    if (mkdtemp(proxy->folder) == NULL)
        die("no temporary folder");
    snprintf(proxy->socket, sizeof(proxy->socket), "%s/socket", proxy->folder);
    snprintf(proxy->unix_url, sizeof(proxy->unix_url), "unix://%s", proxy->socket);
    strcpy(address.sun_path, proxy->socket);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, BACKLOG) != 0)
        die("Unix socket");
    return fd;
}

static void run(const struct proxy_fronts *fronts, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    signal(SIGPIPE, SIG_IGN);
    proxy_run(fronts);
}

void proxy_start(struct proxy *proxy, const char *upstream)
{
    int control[2];
    pid_t parent = getpid();
    *proxy = (struct proxy){0};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0)
        die("no way to steer it");
    const struct proxy_fronts fronts = {
        .control = control[1], .tcp = listen_on_tcp(proxy), .local = listen_on_unix(proxy), .upstream = upstream};
    proxy->control = control[0];
    fflush(NULL);
    proxy->pid = fork();
    if (proxy->pid == 0)
        run(&fronts, parent);
    if (proxy->pid < 0)
        die("cannot be forked");
    close(fronts.control);
    close(fronts.tcp);
    close(fronts.local);
    proxy_heal(proxy); /* answered as soon as it works */
}

void proxy_stop(struct proxy *proxy)
{
    if (proxy->pid <= 0)
        return;
    kill(proxy->pid, SIGKILL);
    waitpid(proxy->pid, NULL, 0);
    close(proxy->control);
    unlink(proxy->socket);
    rmdir(proxy->folder);
    proxy->pid = 0;
}

/* ---- orders ---- */

static struct proxy_report tell(struct proxy *proxy, const struct proxy_order *order)
{
    struct proxy_report report;
    ssize_t length = send(proxy->control, order, sizeof(*order), MSG_NOSIGNAL);
    ck_assert_msg(length == sizeof(*order), "the proxy is gone: %s", strerror(errno));
    do
        length = recv(proxy->control, &report, sizeof(report), 0);
    while (length == -1 && errno == EINTR);
    ck_assert_msg(length == sizeof(report), "the proxy died");
    ck_assert_msg(report.is_done, "the proxy cannot do that");
    return report;
}

static void set_rule(struct proxy *proxy, unsigned links, unsigned ways, struct proxy_rule rule)
{
    const struct proxy_order order = {.verb = PROXY_DO_RULE, .links = links, .ways = ways, .rule = rule};
    tell(proxy, &order);
}

void proxy_pass(struct proxy *proxy, unsigned links, unsigned ways)
{
    set_rule(proxy, links, ways, (struct proxy_rule){PROXY_MODE_PASS, 0, 0});
}

void proxy_delay(struct proxy *proxy, unsigned links, unsigned ways, unsigned ms)
{
    set_rule(proxy, links, ways, (struct proxy_rule){PROXY_MODE_DELAY, 0, ms});
}

void proxy_hold(struct proxy *proxy, unsigned links, unsigned ways)
{
    set_rule(proxy, links, ways, (struct proxy_rule){PROXY_MODE_HOLD, 0, 0});
}

void proxy_drop(struct proxy *proxy, unsigned links, unsigned ways)
{
    set_rule(proxy, links, ways, (struct proxy_rule){PROXY_MODE_DROP, 0, 0});
}

void proxy_lose(struct proxy *proxy, unsigned links, unsigned ways, unsigned bytes)
{
    set_rule(proxy, links, ways, (struct proxy_rule){PROXY_MODE_LOSE, bytes, 0});
}

void proxy_drip(struct proxy *proxy, unsigned links, unsigned ways, unsigned bytes, unsigned ms)
{
    ck_assert_uint_gt(bytes, 0);
    set_rule(proxy, links, ways, (struct proxy_rule){PROXY_MODE_DRIP, bytes, ms});
}

void proxy_truncate(struct proxy *proxy, unsigned links, unsigned ways, unsigned bytes)
{
    set_rule(proxy, links, ways, (struct proxy_rule){PROXY_MODE_TRUNCATE, bytes, 0});
}

void proxy_cut(struct proxy *proxy, unsigned links, enum proxy_end how)
{
    const struct proxy_order order = {.verb = PROXY_DO_CUT, .links = links, .end = how};
    tell(proxy, &order);
}

static void inject(struct proxy *proxy, unsigned links, const char *bytes, size_t length, bool amid)
{
    struct proxy_order order = {.verb = PROXY_DO_INJECT, .links = links, .amid = amid, .length = length};
    ck_assert_uint_le(length, PROXY_BYTES_MAX);
    memcpy(order.bytes, bytes, length);
    tell(proxy, &order);
}

void proxy_inject(struct proxy *proxy, unsigned links, const char *bytes, size_t length)
{
    inject(proxy, links, bytes, length, false);
}

void proxy_inject_amid(struct proxy *proxy, unsigned links, const char *bytes, size_t length)
{
    inject(proxy, links, bytes, length, true);
}

void proxy_answer(struct proxy *proxy, unsigned links, const char *beginning, const char *answer, unsigned times)
{
    struct proxy_order order = {.verb = PROXY_DO_ANSWER, .links = links, .times = times, .length = strlen(answer)};
    ck_assert_uint_lt(strlen(beginning), PROXY_BEGINNING_MAX);
    ck_assert_uint_le(order.length, PROXY_BYTES_MAX);
    strcpy(order.beginning, beginning);
    memcpy(order.bytes, answer, order.length);
    tell(proxy, &order);
}

void proxy_answer_no_more(struct proxy *proxy)
{
    const struct proxy_order order = {.verb = PROXY_DO_ANSWER_NO_MORE};
    tell(proxy, &order);
}

void proxy_refuse(struct proxy *proxy, bool refuse)
{
    const struct proxy_order order = {.verb = PROXY_DO_REFUSE, .refuse = refuse};
    tell(proxy, &order);
}

void proxy_heal(struct proxy *proxy)
{
    const struct proxy_order order = {.verb = PROXY_DO_HEAL};
    tell(proxy, &order);
}

struct proxy_counts proxy_count(struct proxy *proxy, enum proxy_links link)
{
    const struct proxy_order order = {.verb = PROXY_DO_COUNT};
    const struct proxy_report report = tell(proxy, &order);
    return report.counts[link == PROXY_EVENTS ? 2 : link == PROXY_COMMANDS ? 1 : 0];
}
