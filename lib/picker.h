/* SPDX-License-Identifier: MIT */
/* The picker without a discovery: over whatever source of snapshots, clock and chance. */
#ifndef NETRON_LIB_PICKER_H
#define NETRON_LIB_PICKER_H

#include "failure.h"
#include "random.h"
#include <netron/picker.h>
#include <netron/view.h>

struct netron_picker_source {
    /* As netron_view_find(): the snapshot of now, to be released; NULL when there is none. */
    const netron_snapshot *(*find)(void *arg);
    void (*release)(const netron_snapshot *snapshot);
    uint64_t (*now)(void *arg); /* milliseconds, monotonic */
    void (*free)(void *arg);    /* the last call of the source, from netron_picker_free() */
    void *arg;
};

/* The source is owned from success on; random is copied. Returns 0, or NETRON_EINVAL, NETRON_ELIMIT, NETRON_ENOMEM with
 * a sentence. */
int netron_picker_new_on(const struct netron_picker_source *source, const struct netron_random *random,
                         const netron_picker_options *options, struct netron_failure *why, netron_picker **out);

#endif
