/* SPDX-License-Identifier: MIT */
/* A server that speaks TLS, with certificates that the test chooses, and what is told of the links to it. */
#ifndef NETRON_TEST_TLS_STAND_H
#define NETRON_TEST_TLS_STAND_H

#include "certificates.h"
#include "stage.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HOSTS "DNS:localhost,DNS:redis.test,IP:127.0.0.1"

struct tls_stand {
    char folder[64];
    unsigned port;
    char url[64];
    char ca_file[96];
    struct link_recorder links;
    struct state_recorder states;
    struct event_recorder events;
};
static struct tls_stand stand;

static const char *const stand_names[] = {"ca",      "other-ca", "server", "stranger",
                                          "expired", "future",   "client", "late"};

/* Valid until the fourth next call. */
static inline const char *stand_file(const char *name)
{
    static char paths[4][128];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", stand.folder, name);
    return path;
}

static inline void issue(const char *name, const char *issuer, const char *hosts, int from_hours, int to_hours)
{
    const struct certificate certificate = {
        .name = name, .issuer = issuer, .hosts = hosts, .from_hours = from_hours, .to_hours = to_hours};
    certificate_make(stand.folder, &certificate);
}

/* The certificates, a loop, and options that fit; no server yet. */
static inline void stand_open(void)
{
    stand = (struct tls_stand){.port = server_free_port()};
    strcpy(stand.folder, "/tmp/netron-tls-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(stand.folder));
    issue("ca", NULL, NULL, -1, 24);
    issue("server", "ca", HOSTS, -1, 24);
    snprintf(stand.url, sizeof(stand.url), "rediss://localhost:%u", stand.port);
    world_open(&world);
    options = world_options(stand.url);
    snprintf(stand.ca_file, sizeof(stand.ca_file), "%s/ca.crt", stand.folder);
    options.tls_ca_file = stand.ca_file;
    options.on_link = record_link;
    options.on_link_arg = &stand.links;
    discovery = NULL;
    server = (struct server){0};
}

static inline void stand_close(void)
{
    netron_discovery_free(discovery);
    world_close(&world);
    if (server.folder[0] != '\0')
        server_stop(&server);
    for (size_t i = 0; i < COUNT(stand_names); i++)
        certificate_remove(stand.folder, stand_names[i]);
    rmdir(stand.folder);
}

/* certificate: its name. clients: "yes" if they need one, too; or "no". protocols: "" for all that the server knows. */
static inline void stand_serve_as(const char *certificate, const char *clients, const char *protocols, bool is_again)
{
    char number[8], cert[128], key[128], ca[128];
    snprintf(number, sizeof(number), "%u", stand.port);
    snprintf(cert, sizeof(cert), "%s/%s.crt", stand.folder, certificate);
    snprintf(key, sizeof(key), "%s/%s.key", stand.folder, certificate);
    snprintf(ca, sizeof(ca), "%s/ca.crt", stand.folder);
    const char *const extra[] = {"--tls-port",
                                 number,
                                 "--tls-cert-file",
                                 cert,
                                 "--tls-key-file",
                                 key,
                                 "--tls-ca-cert-file",
                                 ca,
                                 "--tls-auth-clients",
                                 clients,
                                 "--tls-protocols",
                                 protocols,
                                 NULL};
    if (is_again)
        server_start_again(&server, extra);
    else
        server_start(&server, extra);
}

static inline void stand_serve(void)
{
    stand_serve_as("server", "no", "", false);
}

/* A node and a subscription; both links are used. */
static inline void stand_join(void)
{
    discovery = world_join(&world, &options);
    stand.states.discovery = discovery;
    begin(discovery, "node-1", &stand.states);
    ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, &stand.events, NULL), 0);
}

static inline void stand_await_all(void)
{
    AWAIT(&world, stand.links.is_up[NETRON_LINK_COMMANDS] && stand.links.is_up[NETRON_LINK_EVENTS]);
    AWAIT(&world, latest_state(&stand.states) == NETRON_REGISTERED && stand.events.synced == 1);
}

/* Both links are refused with that code and a sentence that holds the words. */
static inline void stand_expect_told(int code, const char *words)
{
    for (int role = NETRON_LINK_COMMANDS; role <= NETRON_LINK_EVENTS; role++) {
        AWAIT(&world, stand.links.count[role] >= 1);
        ck_assert_msg(stand.links.code[role] == code && strstr(stand.links.sentence[role], words) != NULL,
                      "link %d says %d: %s", role, stand.links.code[role], stand.links.sentence[role]);
    }
}

#endif
