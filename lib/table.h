/* SPDX-License-Identifier: MIT */
/* uthash as this library uses it: without memory an element is not added (its hh.tbl is NULL then), instead of the
 * exit() that uthash has by default. */
#ifndef NETRON_LIB_TABLE_H
#define NETRON_LIB_TABLE_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#endif
