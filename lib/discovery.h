/* SPDX-License-Identifier: MIT */
/* What other rooms may know of the public handle. */
#ifndef NETRON_LIB_DISCOVERY_H
#define NETRON_LIB_DISCOVERY_H

#include "core.h"
#include "picker_view.h"

/* The ground that the discovery stands on; valid as long as the discovery is. */
struct netron_core *netron_discovery_core(const netron_discovery *discovery);

/* Its pickers, for picker_view. */
struct netron_picker_views *netron_discovery_pickers(netron_discovery *discovery);

#endif
