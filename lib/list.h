/* SPDX-License-Identifier: MIT */
/* utlist as this library uses it: without the assert() that its deletions come with, for a library never aborts. */
#ifndef NETRON_LIB_LIST_H
#define NETRON_LIB_LIST_H

#ifndef NDEBUG
#define NDEBUG 1
#endif
#include <utlist.h>

#endif
