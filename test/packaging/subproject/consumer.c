/* SPDX-License-Identifier: MIT */
/* A program that only has the installed headers: it looks at the version and the options, then lives for a moment. */
#include <event2/event.h>
#include <netron/libevent.h>
#include <netron/netron.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    struct event_base *base = event_base_new();
    netron_discovery *discovery = NULL;
    netron_options options;
    char sentence[256];

    netron_options_init(&options);
    options.heartbeat_ttl_ms = 999;
    if (netron_options_check(&options, sentence, sizeof(sentence)) != NETRON_ELIMIT ||
        strstr(sentence, "heartbeat_ttl_ms") == NULL)
        return 1;
    options.heartbeat_ttl_ms = 0;
    options.url = "unix:///nonexistent/redis.sock";
    if (netron_options_check(&options, NULL, 0) != 0 || netron_discovery_new(base, &options, &discovery) != 0)
        return 1;
    event_base_loop(base, EVLOOP_ONCE);
    netron_discovery_free(discovery);
    event_base_free(base);

    puts(netron_version());
    return strcmp(netron_version(), NETRON_VERSION_STRING) == 0 ? 0 : 1;
}
