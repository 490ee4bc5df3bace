/* SPDX-License-Identifier: MIT */
/*
 * The loop seam on libevent. The only file of the library that knows libevent.
 *
 * Libevent keeps most of the seam's contract by itself: event_del() and event_free() are legal in the event's own
 * callback and take a pending activation back. A watch keeps one event for each direction, so that a change of interest
 * is one event_add() or event_del(). Two things need care: timers count from a clock that is read once a turn; and
 * evdns_getaddrinfo() calls back at once for literals and for /etc/hosts, which the seam forbids, so answers are kept
 * until an event of their own delivers them.
 *
 * Adding a timer can need memory, when other timers have taken the room that it had. A discovery whose only timer did
 * not start would sleep for ever, so each timer has an alarm to fall back on: a descriptor of the kernel's, for which
 * everything is allocated beforehand.
 *
 * A resolution that is cancelled while evdns works on it is left to run: evdns_getaddrinfo_cancel() would only schedule
 * more work, which may come after its base is gone. Its answer is dropped when it comes.
 */
#include <netron/error.h>
#include <netron/libevent.h>

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct libevent_loop {
    netron_loop seam;
    struct event_base *base;
    struct evdns_base *dns; /* made when the first host name comes */
    bool dns_is_stale;      /* what it knows of the system's name service has to be read again */
    unsigned under_way;     /* resolutions, without those that were cancelled */
    struct evutil_monotonic_timer *clock;
};

struct libevent_io {
    struct event *read;
    struct event *write;
    bool reads;
    bool writes;
    netron_io_fn fn;
    void *arg;
};

struct libevent_timer {
    netron_loop *loop;
    struct event *event;
    int alarm_fd;
    struct event *alarm; /* set only when event could not be; */
    uint64_t due;        /* and for this time */
    netron_timer_fn fn;
    void *arg;
};

#define DELAY_MAX_MS UINT64_C(1000000000000) /* 31 years: as seconds it fits into a time_t of 32 bits */
#define ADDRESSES_MAX 16                     /* more addresses than this for one name are of no use to anybody */

struct libevent_resolution {
    struct libevent_loop *loop; /* valid as long as fn is set */
    bool answered;
    struct event *delivery;
    netron_resolve_fn fn; /* NULL when cancelled */
    void *arg;
    int code;
    const char *reason;
    size_t count;
    char addresses[ADDRESSES_MAX][INET6_ADDRSTRLEN];
};

static struct libevent_loop *of(netron_loop *loop)
{
    return loop->data;
}

/* ---- watches ---- */

static void on_io(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    struct libevent_io *io = arg;
    unsigned events = 0;
    if (what & EV_READ)
        events |= NETRON_READABLE;
    if (what & EV_WRITE)
        events |= NETRON_WRITABLE;
    io->fn(events, io->arg); /* io may be gone now */
}

static int set_interest(struct event *event, bool *is_set, bool wanted)
{
    if (*is_set == wanted)
        return 0;
    if ((wanted ? event_add(event, NULL) : event_del(event)) != 0)
        return NETRON_ELOOP;
    *is_set = wanted;
    return 0;
}

static int io_update(netron_loop *loop, void *handle, unsigned events)
{
    (void)loop;
    struct libevent_io *io = handle;
    int read_code = set_interest(io->read, &io->reads, (events & NETRON_READABLE) != 0);
    int write_code = set_interest(io->write, &io->writes, (events & NETRON_WRITABLE) != 0);
    return read_code != 0 ? read_code : write_code;
}

static void io_free(netron_loop *loop, void *handle)
{
    (void)loop;
    struct libevent_io *io = handle;
    if (io->read != NULL)
        event_free(io->read);
    if (io->write != NULL)
        event_free(io->write);
    free(io);
}

static void *io_new(netron_loop *loop, int fd, unsigned events, netron_io_fn fn, void *arg)
{
    /* Libevent takes -1 for an event of no descriptor. */
    struct libevent_io *io = fd >= 0 ? calloc(1, sizeof(*io)) : NULL;
    if (io == NULL)
        return NULL;
    io->fn = fn;
    io->arg = arg;
    io->read = event_new(of(loop)->base, fd, EV_READ | EV_PERSIST, on_io, io);
    io->write = event_new(of(loop)->base, fd, EV_WRITE | EV_PERSIST, on_io, io);
    if (io->read == NULL || io->write == NULL || io_update(loop, io, events) != 0) {
        io_free(loop, io);
        return NULL;
    }
    return io;
}

/* ---- timers ---- */

static uint64_t now(netron_loop *loop)
{
    struct timeval time;
    if (evutil_gettime_monotonic(of(loop)->clock, &time) != 0)
        return 0;
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_usec / 1000;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct libevent_timer *timer = arg;
    timer->fn(timer->arg); /* timer may be gone now */
}

static int set_alarm(struct libevent_timer *timer, uint64_t delay_ms)
{
    /* Zero would be never. */
    const struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(delay_ms / 1000), .tv_nsec = (long)(delay_ms % 1000) * 1000000 + 1}};
    if (timerfd_settime(timer->alarm_fd, 0, &when, NULL) != 0 || event_add(timer->alarm, NULL) != 0)
        return NETRON_ELOOP;
    return 0;
}

/* The kernel's clock is finer than libevent's, by which a timer must not be early. */
static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct libevent_timer *timer = arg;
    uint64_t time = now(timer->loop);
    if (time >= timer->due || set_alarm(timer, timer->due - time) != 0)
        timer->fn(timer->arg); /* timer may be gone now */
}

static void timer_free(netron_loop *loop, void *handle)
{
    (void)loop;
    struct libevent_timer *timer = handle;
    if (timer->event != NULL)
        event_free(timer->event);
    if (timer->alarm != NULL)
        event_free(timer->alarm);
    if (timer->alarm_fd >= 0)
        close(timer->alarm_fd);
    free(timer);
}

static void *timer_new(netron_loop *loop, netron_timer_fn fn, void *arg)
{
    struct libevent_timer *timer = calloc(1, sizeof(*timer));
    if (timer == NULL)
        return NULL;
    timer->loop = loop;
    timer->fn = fn;
    timer->arg = arg;
    timer->event = evtimer_new(of(loop)->base, on_timer, timer);
    timer->alarm_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timer->alarm_fd >= 0)
        timer->alarm = event_new(of(loop)->base, timer->alarm_fd, EV_READ, on_alarm, timer);
    /* What libevent allocates for a descriptor that it watches it keeps. */
    if (timer->event == NULL || timer->alarm == NULL || event_add(timer->alarm, NULL) != 0) {
        timer_free(loop, timer);
        return NULL;
    }
    event_del(timer->alarm);
    return timer;
}

/* Libevent counts from the beginning of its turn, so the clock is read anew: a timer must not be early after a callback
 * that took long. */
static int timer_start(netron_loop *loop, void *handle, uint64_t delay_ms)
{
    struct libevent_timer *timer = handle;
    event_base_update_cache_time(of(loop)->base);
    if (delay_ms > DELAY_MAX_MS)
        delay_ms = DELAY_MAX_MS;
    struct timeval delay = {.tv_sec = (time_t)(delay_ms / 1000), .tv_usec = (suseconds_t)(delay_ms % 1000) * 1000};
    event_del(timer->alarm);
    if (evtimer_add(timer->event, &delay) == 0)
        return 0;
    timer->due = now(loop) + delay_ms;
    return set_alarm(timer, delay_ms);
}

static void timer_stop(netron_loop *loop, void *handle)
{
    (void)loop;
    struct libevent_timer *timer = handle;
    evtimer_del(timer->event);
    event_del(timer->alarm);
}

/* ---- names ---- */

static void resolution_free(struct libevent_resolution *resolution)
{
    if (resolution->delivery != NULL)
        event_free(resolution->delivery);
    free(resolution);
}

static void deliver(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct libevent_resolution *resolution = arg;
    const char *addresses[ADDRESSES_MAX];
    for (size_t i = 0; i < resolution->count; i++)
        addresses[i] = resolution->addresses[i];
    resolution->fn(resolution->code, addresses, resolution->count, resolution->reason, resolution->arg);
    resolution_free(resolution);
}

static void keep_addresses(struct libevent_resolution *resolution, const struct evutil_addrinfo *list)
{
    for (; list != NULL && resolution->count < ADDRESSES_MAX; list = list->ai_next) {
        const void *address = NULL;
        if (list->ai_family == AF_INET)
            address = &((const struct sockaddr_in *)(const void *)list->ai_addr)->sin_addr;
        else if (list->ai_family == AF_INET6)
            address = &((const struct sockaddr_in6 *)(const void *)list->ai_addr)->sin6_addr;
        if (address != NULL &&
            inet_ntop(list->ai_family, address, resolution->addresses[resolution->count], INET6_ADDRSTRLEN) != NULL)
            resolution->count++;
    }
}

static void on_resolved(int result, struct evutil_addrinfo *list, void *arg)
{
    struct libevent_resolution *resolution = arg;
    keep_addresses(resolution, list);
    if (list != NULL)
        evutil_freeaddrinfo(list);
    if (resolution->fn == NULL) { /* cancelled */
        resolution_free(resolution);
        return;
    }
    resolution->answered = true;
    resolution->loop->under_way--;
    if (resolution->count == 0) {
        resolution->code = NETRON_ERESOLVE;
        resolution->reason = result != 0 ? evutil_gai_strerror(result) : "no address of a known kind";
        resolution->loop->dns_is_stale = true;
    }
    event_active(resolution->delivery, EV_TIMEOUT, 1);
}

/* Reads what the system says about names: whenever no other question waits, for a daemon can be older than its network,
 * and without memory what was read was only a part, which nobody tells; and after a failure. A missing file is no
 * error: names of /etc/hosts and a name server on this host still count. */
static struct evdns_base *name_service(struct libevent_loop *self)
{
    if (self->dns == NULL) { /* DISABLE_WHEN_INACTIVE: name servers' sockets must not keep the base from ending */
        self->dns = evdns_base_new(self->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
        if (self->dns == NULL)
            return NULL;
        /* The default of 5 s is longer than a resolution lives when one of several name servers is dead. */
        evdns_base_set_option(self->dns, "timeout:", "1");
    }
    if (self->dns_is_stale || self->under_way == 0) {
        evdns_base_clear_nameservers_and_suspend(self->dns);
        evdns_base_clear_host_addresses(self->dns);
        evdns_base_resolv_conf_parse(self->dns, DNS_OPTIONS_ALL, "/etc/resolv.conf");
        evdns_base_resume(self->dns);
        self->dns_is_stale = false;
    }
    return self->dns;
}

static void *resolve(netron_loop *loop, const char *host, netron_resolve_fn fn, void *arg)
{
    struct libevent_loop *self = of(loop);
    struct evdns_base *dns = name_service(self);
    struct libevent_resolution *resolution = dns != NULL ? calloc(1, sizeof(*resolution)) : NULL;
    if (resolution == NULL)
        return NULL;
    resolution->loop = self;
    resolution->fn = fn;
    resolution->arg = arg;
    resolution->delivery = event_new(self->base, -1, 0, deliver, resolution);
    if (resolution->delivery == NULL) {
        free(resolution);
        return NULL;
    }
    self->under_way++;
    struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    evdns_getaddrinfo(dns, host, NULL, &hints, on_resolved, resolution);
    return resolution;
}

static void resolve_cancel(netron_loop *loop, void *handle)
{
    struct libevent_resolution *resolution = handle;
    resolution->fn = NULL;
    if (resolution->answered) {
        resolution_free(resolution);
        return;
    }
    of(loop)->under_way--;
    of(loop)->dns_is_stale = true; /* it was waited for in vain */
}

/* ---- the table ---- */

static void loop_free(netron_loop *loop)
{
    struct libevent_loop *self = of(loop);
    if (self->dns != NULL)
        evdns_base_free(self->dns, 1); /* what is still under way answers with a failure, in a later turn */
    if (self->clock != NULL)
        evutil_monotonic_timer_free(self->clock);
    free(self);
}

int netron_libevent_loop_new(struct event_base *base, netron_loop **out)
{
    if (base == NULL || out == NULL)
        return NETRON_EINVAL;
    struct libevent_loop *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return NETRON_ENOMEM;
    self->base = base;
    self->clock = evutil_monotonic_timer_new();
    if (self->clock == NULL || evutil_configure_monotonic_time(self->clock, 0) != 0) {
        if (self->clock != NULL)
            evutil_monotonic_timer_free(self->clock);
        free(self);
        return NETRON_ENOMEM;
    }
    self->seam = (netron_loop){
        .size = sizeof(netron_loop),
        .data = self,
        .io_new = io_new,
        .io_update = io_update,
        .io_free = io_free,
        .timer_new = timer_new,
        .timer_start = timer_start,
        .timer_stop = timer_stop,
        .timer_free = timer_free,
        .now = now,
        .resolve = resolve,
        .resolve_cancel = resolve_cancel,
        .free = loop_free,
    };
    *out = &self->seam;
    return 0;
}
