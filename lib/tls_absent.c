/* SPDX-License-Identifier: MIT */
/* In place of tls.c, in a build without TLS: the settings refuse rediss:// there, so nothing else is ever asked. */
#include "tls.h"

bool netron_tls_is_built_in(void)
{
    return false;
}

static int refuse(struct netron_failure *why)
{
    return netron_fail(why, NETRON_ETLS, "this build has no TLS");
}

int netron_tls_new(const struct netron_tls_settings *settings, const char *name, struct netron_tls **out,
                   struct netron_failure *why)
{
    (void)settings, (void)name, (void)out;
    return refuse(why);
}

void netron_tls_free(struct netron_tls *tls)
{
    (void)tls;
}

int netron_tls_handshake(struct netron_tls *tls, struct redisContext *context, unsigned *interest,
                         struct netron_failure *why)
{
    (void)tls, (void)context;
    *interest = 0;
    return refuse(why);
}

int netron_tls_read(struct netron_tls *tls, struct redisContext *context, struct netron_failure *why)
{
    (void)tls, (void)context;
    return refuse(why);
}

int netron_tls_write(struct netron_tls *tls, struct redisContext *context, struct netron_failure *why)
{
    (void)tls, (void)context;
    return refuse(why);
}

unsigned netron_tls_interest(const struct netron_tls *tls, const struct redisContext *context)
{
    (void)tls, (void)context;
    return 0;
}
