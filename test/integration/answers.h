/* SPDX-License-Identifier: MIT */
/* What a Redis that cannot or may not serve answers, said in the server's place. */
#ifndef NETRON_TEST_ANSWERS_H
#define NETRON_TEST_ANSWERS_H

#include "network.h"
#include <script_sources.h>

static const struct refusal {
    const char *answer;
    int code;
    bool ends_the_link; /* whoever says so will not get better on this connection */
} refusals[] = {
    {"-LOADING Redis is loading the dataset in memory\r\n", NETRON_EUNAVAILABLE, false},
    {"-BUSY Redis is busy running a script.\r\n", NETRON_EUNAVAILABLE, false},
    {"-MASTERDOWN Link with MASTER is down.\r\n", NETRON_EUNAVAILABLE, false},
    {"-TRYAGAIN Multiple keys request during rehashing of slot\r\n", NETRON_EUNAVAILABLE, false},
    {"-OOM command not allowed when used memory > 'maxmemory'.\r\n", NETRON_EUNAVAILABLE, false},
    {"-NOSCRIPT No matching script.\r\n", NETRON_EREDIS, false},
    {"-ERR unknown command, with args beginning with:\r\n", NETRON_EREDIS, false},
    {"-NOPERM this user has no permissions to run this command\r\n", NETRON_EPERM, false},
    {"-WRONGPASS invalid username-password pair or user is disabled.\r\n", NETRON_EAUTH, false},
    {"-READONLY You can't write against a read only replica.\r\n", NETRON_EUNAVAILABLE, true},
    {"-NOAUTH Authentication required.\r\n", NETRON_EAUTH, true},
};
enum { REFUSALS = COUNT(refusals) };

static inline void open_answers(void)
{
    open_network();
    options.retry_delay_ms = 20; /* what is refused is told soon */
}

/* "GETEX: LOADING Redis is ..." */
static inline const char *words_of(const struct refusal *refusal, const char *command)
{
    static char words[256];
    snprintf(words, sizeof(words), "%s: %.*s", command, (int)strlen(refusal->answer) - 3, refusal->answer + 1);
    return words;
}

static inline const char *call_of(const struct netron_script_source *source)
{
    static char beginning[64];
    snprintf(beginning, sizeof(beginning), "EVALSHA %s", source->sha1);
    return beginning;
}

static inline void refuse(const struct refusal *refusal, unsigned which, const char *beginning)
{
    proxy_answer(&proxy, which, beginning, refusal->answer, 0);
}

#endif
