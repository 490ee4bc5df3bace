/* SPDX-License-Identifier: MIT */
/* What all reactors but the native one have in common. */
#include "reactor.h"

int reactor_discovery_new(struct reactor *reactor, const netron_options *options, netron_discovery **out)
{
    return netron_discovery_new_on(reactor_loop(reactor), options, out);
}
