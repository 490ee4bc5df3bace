/* SPDX-License-Identifier: MIT */
#include "pulse.h"

uint64_t netron_pulse_check(struct netron_pulse *pulse, struct netron_conn *conn, uint32_t interval_ms, uint64_t now,
                            const char *who)
{
    uint64_t heard_at = netron_conn_heard_at(conn);
    bool is_unanswered = pulse->pinged_at != 0 && heard_at < pulse->pinged_at;
    if (is_unanswered && netron_conn_has_unread(conn))
        return 0;
    if (is_unanswered) {
        struct netron_failure why;
        netron_fail(&why, NETRON_ETIMEDOUT, "%s did not answer a PING within %u ms", who, interval_ms);
        netron_conn_close(conn, &why);
        return UINT64_MAX;
    }
    pulse->pinged_at = 0;
    uint64_t silence = now - heard_at;
    if (silence < interval_ms)
        return interval_ms - silence;
    if (netron_conn_ping(conn) == 0)
        pulse->pinged_at = now;
    return interval_ms;
}
