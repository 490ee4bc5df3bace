/* SPDX-License-Identifier: MIT */
/* Callbacks that write down what they were told. Zero-initialise a recorder, and hand it over as the argument. */
#ifndef NETRON_TEST_RECORDERS_H
#define NETRON_TEST_RECORDERS_H

#include <netron/netron.h>

#define RECORDS_MAX 256

struct done_recorder {
    int calls;
    int code; /* of the latest */
};
void record_done(netron_discovery *discovery, int code, void *recorder);

struct state_recorder {
    int count;
    netron_registration_state state[RECORDS_MAX];
    int code[RECORDS_MAX];
    char sentence[512]; /* netron_discovery_error() at the latest; needs .discovery */
    netron_discovery *discovery;
};
void record_state(netron_registration *registration, netron_registration_state state, int code, void *recorder);
netron_registration_state latest_state(const struct state_recorder *recorder); /* 0 before the first */

struct nodes_recorder {
    int calls;
    int code;
    size_t count;
    char text[8192]; /* "id address name@version name; id ..." */
};
void record_nodes(netron_discovery *discovery, int code, const netron_node *const *nodes, size_t count, void *recorder);

struct active_recorder {
    int calls;
    int code;
    int active;
};
void record_active(netron_discovery *discovery, int code, int active, void *recorder);

struct event_record {
    netron_event_type type;
    char text[1024]; /* "NODE_UPDATED id address name@version name (reason)" */
    uint64_t revision;
    uint64_t timestamp_ms;
};
struct event_recorder {
    int synced; /* how often the end of the first picture was told */
    int count;
    struct event_record events[RECORDS_MAX];
};
void record_event(netron_subscription *subscription, const netron_event *event, void *recorder);

struct link_recorder {
    int count[3]; /* by role: how often told */
    int code[3];  /* the latest */
    char sentence[3][512];
    int is_up[3];
};
void record_link(netron_discovery *discovery, netron_link_role role, int code, const char *sentence, void *recorder);

struct log_recorder {
    int count;
    netron_log_level level[RECORDS_MAX];
    char line[RECORDS_MAX][512];
};
void record_log(netron_log_level level, const char *line, void *recorder);
/* How many lines hold the text. */
int log_count(const struct log_recorder *recorder, const char *text);

/* A node with up to two services; name_1 or name_2 NULL = not there. It points to services. */
netron_node make_node(const char *id, const char *address, netron_service services[2], const char *name_1,
                      const char *version_1, const char *name_2, const char *version_2);

#endif
