/* SPDX-License-Identifier: MIT */
/* The pickers of one discovery, which may outlive it: picks that are outstanding are reported whenever they end. */
#ifndef NETRON_LIB_PICKER_VIEW_H
#define NETRON_LIB_PICKER_VIEW_H

struct netron_picker_wanted;

/* Embedded in the discovery. */
struct netron_picker_views {
    struct netron_picker_wanted *all; /* a list, utlist.h */
};

/* The discovery goes: none of them asks it again. */
void netron_picker_views_detach(struct netron_picker_views *views);

#endif
