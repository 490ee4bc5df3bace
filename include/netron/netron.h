/* SPDX-License-Identifier: MIT */
/* Everything that a program on libevent needs. Begin reading at discovery.h. */
#ifndef NETRON_NETRON_H
#define NETRON_NETRON_H

#include <netron/discovery.h>
#include <netron/error.h>
#include <netron/event.h>
#include <netron/lookup.h>
#include <netron/node.h>
#include <netron/options.h>
#include <netron/picker.h>
#include <netron/registration.h>
#include <netron/signature.h>
#include <netron/view.h>

#endif
